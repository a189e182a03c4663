# The back end moves: the Pod goes, and the Deployment makes another one.
minik8s delete pod -n lab-01 -l app=back
# A Service, and a front end that calls its name.
minik8s apply -f service.yaml
minik8s apply -f front.yaml
# Five Pods behind the same name.
minik8s apply -f back.yaml
minik8s rollout status deployment/back -n lab-01
minik8s rollout status deployment/front -n lab-01
# The same Pods for clients outside.
minik8s apply -f outside.yaml

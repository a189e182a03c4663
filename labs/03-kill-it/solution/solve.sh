# A process dies, and in another place a Pod goes.
set -- $(minik8s get pods -n lab-03 -l app=web -o name)
minik8s kill $1 -n lab-03
minik8s delete $2 -n lab-03
# The proxy of node-1, and the API server.
minik8s kill proxy@node-1
minik8s start proxy@node-1
minik8s kill apiserver
minik8s start apiserver
# The cable of node-3, until it is noticed.
minik8s node cut node-3
until minik8s get node node-3 | grep NotReady; do sleep 0.5; done
minik8s node heal node-3
until minik8s get node node-3 | grep -w Ready; do sleep 0.5; done

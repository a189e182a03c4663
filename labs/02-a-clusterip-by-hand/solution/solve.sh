# The addresses of the two Pods into the file; then the kernel of node-1 learns it.
for n in 1 2; do
  ip=$(minik8s get pod back-$n -n lab-02 -o jsonpath='{.status.podIP}')
  sed -i "s/ADDRESS$n/$ip/" clusterip.nft
done
minik8s node exec node-1 -- nft -f clusterip.nft
# And the same by a Service.
minik8s apply -f service.yaml

// What a program on Kubernetes' JavaScript client does: follows a collection, then runs a command in a Pod.
// Usage: node client.mjs KUBECONFIG NAMESPACE POD. It prints a line for each thing that happens.
import * as k8s from '@kubernetes/client-node';
import { Writable } from 'node:stream';

const [file, namespace, pod] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(file);
const core = config.makeApiClient(k8s.CoreV1Api);

const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`,
    () => core.listNamespacedConfigMap({ namespace }));
const say = (what) => (map) => {
    if (map.metadata.name !== 'js') return;
    console.log(`${what} ${map.metadata.name} ${map.data.n}`);
    if (what === 'delete') run();
};
for (const event of ['add', 'update', 'delete']) informer.on(event, say(event));
informer.on('connect', () => console.log('informer connected'));
let following = true;
informer.on('error', (error) => { if (following) { console.log(`error ${error}`); process.exit(1); } });
await informer.start();

async function run() {
    following = false;  // stopping breaks its request off, which it tells as an error
    await informer.stop();
    let out = '';
    const stdout = new Writable({ write(block, _, done) { out += block; done(); } });
    const command = ['sh', '-c', 'echo hello; exit 3'];
    await new k8s.Exec(config).exec(namespace, pod, 'backend', command, stdout, process.stderr, null, false, (status) => {
        const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
        console.log(`exec ${JSON.stringify({ out, status: status.status, code })}`);
        process.exit(0);
    });
}

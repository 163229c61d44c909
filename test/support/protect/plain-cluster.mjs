// The same cluster as examples/cluster.mjs as it is mostly written: the primary disconnects its workers, or kills them one by one.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'

if (cluster.isPrimary) {
  process.on('SIGINT', () => cluster.disconnect(() => process.exit()))
  process.on('SIGUSR2', async () => {
    for (const worker of Object.values(cluster.workers ?? {})) {
      await once(cluster.fork(), 'listening')
      worker?.kill()
      await once(worker, 'exit')
    }
    console.log('restarted')
  })
  for (let i = 0; i < 2; i += 1) cluster.fork()
} else {
  createServer(async (_request, response) => {
    await new Promise((resolve) => setTimeout(resolve, Number(process.env.WORK_MS)))
    response.end('done\n')
  }).listen(Number(process.env.PORT))
}

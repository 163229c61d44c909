// A cluster whose primary alone hears Ctrl-C and SIGTERM. `kill -USR2` restarts one worker after the other.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { protectionOf, Supervisor } from 'sigshield'

if (cluster.isPrimary) {
  const supervisor = new Supervisor({ grace: 10_000 })
  supervisor.handleSignals({ before: () => cluster.disconnect() })
  supervisor.protect({ ignore: ['SIGINT', 'SIGTERM', 'SIGHUP'] })
  cluster.on('exit', (worker) => {
    if (!worker.exitedAfterDisconnect && !supervisor.closing) cluster.fork()
  })
  process.on('SIGUSR2', async () => {
    const workers = /** @type {import('node:cluster').Worker[]} */ (Object.values(cluster.workers ?? {}))
    for (const worker of workers) {
      await once(cluster.fork(), 'listening')
      worker.disconnect() // it is handed no connection any more, and has those that it was handed
      await protectionOf(worker.process)?.stop({ grace: 10_000 })
    }
  })
  for (let i = 0; i < 2; i += 1) cluster.fork()
} else {
  let isLeaving = false
  const server = createServer(async (_request, response) => {
    if (isLeaving) response.setHeader('Connection', 'close')
    await new Promise((resolve) => setTimeout(resolve, Number(process.env.WORK_MS ?? 20)))
    response.end('done\n')
  })
  // Called when it is disconnected. On a connection that is idle the next request may be on its way: its answer tells that it is the
  // last, or keepAliveTimeout ends it. By then the primary has closed the port too, or has another worker for who connects anew.
  server.closeIdleConnections = () => void setTimeout(() => (isLeaving = true), 1000)
  server.listen(Number(process.env.PORT ?? 8000))
}

// Two worker threads that look at the exit event: one waits on its event loop, the other blocks its thread.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { exitEvent } from 'sigshield/child'

if (isMainThread) {
  const threads = ['wait', 'waitSync'].map((way) => new Worker(new URL(import.meta.url), { workerData: way }))
  await Promise.all(threads.map((thread) => once(thread, 'message')))
  process.send('ready')
  const [order] = await once(process, 'message')
  if (order === 'wait') {
    const answers = Promise.all(threads.map((thread) => once(thread, 'message')))
    process.send('waiting')
    process.send((await answers).flat())
  } else {
    process.send(await Promise.all(threads.map((thread) => thread.terminate())))
  }
  process.disconnect()
} else {
  const event = exitEvent()
  event.isSet()
  parentPort.postMessage('ready')
  // The message has left the thread before it blocks.
  await new Promise(setImmediate)
  await event[workerData]()
  parentPort.postMessage(event.reason)
}

// Echoes lines of its input, or messages when started with 'ipc'.
import { spawn } from 'node:child_process'

let handled = 0
if (process.argv[2] === 'ipc') {
  const answers = {
    'handle SIGINT': () => {
      process.on('SIGINT', () => {
        handled += 1
      })
      return 'handling'
    },
    // Asked a second time by the event loop, after signals of the turn before are dispatched.
    'handled?': () => ({ handled }),
    'spawn cat': () => ({ pid: spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }).pid }),
  }
  process.on('message', (message) => {
    const answer = answers[message]?.() ?? message
    setImmediate(() => process.send(answer))
  })
  process.send('ready')
} else {
  process.stdout.write('ready\n')
  process.stdin.pipe(process.stdout)
}

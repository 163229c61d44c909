// Starts a program with an exit event, on its own output, and waits to be killed.
import { ExitEvent, spawnProtected } from 'sigshield'

const [command, ...args] = process.argv.slice(2)
const event = new ExitEvent()
spawnProtected(command, args, { stdio: ['ignore', 'inherit', 'inherit'], exitEvent: event }).on('exit', () =>
  event.set(),
)

// Starts a Node of its own, asks for handlers, and leaves when it is told to.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
const grandchild = "process.on('SIGINT', () => process.exit(1)); process.stdin.resume()"
const child = spawn(process.execPath, ['-e', grandchild], { stdio: ['pipe', 'ignore', 'ignore'] })
const exit = once(child, 'exit')
process.send(child.pid)
await once(process, 'message')
child.stdin.end()
const [code, signal] = await exit
process.exitCode = code ?? (signal && 2)
process.disconnect()

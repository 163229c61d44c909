// In a terminal and a pid namespace: another library reaps the child that holds the terminal, and a stranger with its
// number takes it. Tells who holds it when our child's end was seen.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { spawnProtected } from 'sigshield'

const [reaping, file, isTaken] = process.argv.slice(2)
/** proc(5): the foreground process group of the terminal. */
const holder = () => Number(readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')[5])
const taking = `import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.setpgid(0, 0)
os.tcsetpgrp(os.open("/dev/tty", os.O_RDWR), os.getpid())
open(sys.argv[1], "w").close()
sys.stdin.read()`

const child = spawnProtected('sleep', ['1000'], { stdio: 'ignore', foreground: true })
const exit = once(child, 'exit')
const held = holder() === child.pid
process.kill(child.pid, 'SIGKILL')
process.env.REAPED_BY_ANOTHER = String(child.pid)
// From here on the event loop, which would see the exit, does not turn until the stranger has the terminal.
createRequire(import.meta.url)(reaping)
let stranger
if (isTaken === 'taken') {
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(child.pid - 1))
  stranger = childProcess.spawn('python3', ['-c', taking, file], { stdio: ['pipe', 'ignore', 'inherit'] })
  while (!existsSync(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
}
await exit
const now = holder()
const name = now === stranger?.pid ? 'stranger' : now === process.pid ? 'parent' : 'another'
const sameNumber = stranger === undefined || stranger.pid === child.pid
// A background process that writes is not stopped: TOSTOP is off.
console.log(`held: ${held}, same number: ${sameNumber}, holder: ${name}.`)
stranger?.stdin.end()

/** A process whose number another one has got: the kernel gives the next number after ns_last_pid of proc(5). */
import { spawn, spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { closed, ended } from '../support/processes.js'

const namespaces = ['--pid', '--fork', '--kill-child', '--mount-proc']

const code = `
  import { spawn } from 'node:child_process'
  import { once } from 'node:events'
  import { writeFileSync } from 'node:fs'
  import { kill, stateOf } from '${import.meta.resolve('sigshield/signals')}'
  const started = (pid) => {
    if (pid) writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1))
    return spawn('cat')
  }
  const ended = async (child) => {
    child.stdin.end()
    return once(child, 'close')
  }
  const first = started()
  const { pid, startedAt } = stateOf(first.pid)
  await ended(first)
  // Until it has the number, and was started in another tick.
  let next
  while (stateOf((next = started(pid)).pid).startedAt === startedAt || next.pid !== pid) await ended(next)
  console.log(next.pid === pid)
  try { kill(pid, 'SIGTERM', { startedAt }) } catch ({ code, syscall, message }) { console.log(code, syscall, message) }
  next.stdin.write('lives')
  console.log(String((await once(next.stdout, 'data'))[0]))
  const exit = once(next, 'exit')
  PLACE
  console.log((await exit)[1])`

/** It takes root, and a namespace of process ids. */
const can = spawnSync('unshare', [...namespaces, 'sh', '-c', 'echo 1 > /proc/sys/kernel/ns_last_pid']).status === 0

// Without a pid namespace of its own a test can't choose the next number.
it.skipIf(!can).each([
  ['process.kill', `process.kill(pid, 'SIGTERM')`],
  ['kill with its own start', `kill(pid, 'SIGTERM', { startedAt: stateOf(pid).startedAt })`],
])('kill does not touch it; %s does', async (_name, control) => {
  const argv = [...namespaces, process.execPath, '--input-type=module', '-e', code.replace('PLACE', control)]
  const child = ended(spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'inherit'] }))
  const end = closed(child)
  let said = ''
  for await (const chunk of child.stdout) said += chunk
  expect(said.trim().split('\n')).toEqual(['true', 'ESRCH kill kill ESRCH', 'lives', 'SIGTERM'])
  expect(await end).toEqual({ code: 0, signal: null })
})

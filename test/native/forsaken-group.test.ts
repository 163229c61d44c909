/** What goes with the end of a child whose worker thread was terminated: the rest of its process group, and the terminal. */
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { isAlive, until } from '../support/processes.js'
import { killed, Terminal } from '../support/terminal.js'

const table = join(import.meta.dirname, '../support/process-table.mjs')

/** Its thread starts this command in the foreground, and is terminated. Then it says whose the terminal is, and in which mode. */
function forsaking(command: string): Terminal {
  const thread = `
    import { parentPort } from 'node:worker_threads'
    import { spawnProtected } from '${import.meta.resolve('sigshield')}'
    const child = spawnProtected('bash', ['-c', ${JSON.stringify(command)}], { stdio: 'inherit', foreground: true })
    parentPort.postMessage(child.pid)`
  const program = `
    import { execFileSync } from 'node:child_process'
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    import { processOf } from '${table}'
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(process.argv[1])))
    const [pid] = await once(worker, 'message')
    await worker.terminate()
    const own = processOf(process.pid).group
    const holder = () => processOf(process.pid).foreground
    console.log('forsaken, and in the foreground: ' + (holder() === pid && pid !== own))
    let child = processOf(pid)
    for (; child !== undefined && child.state !== 'T'; child = processOf(pid)) await new Promise((resolve) => setTimeout(resolve, 2))
    const how = child === undefined ? 'ended' : 'stopped'
    // When it is reaped the terminal is back. Of a stop nobody is told at once.
    while (how === 'stopped' && holder() !== own) await new Promise((resolve) => setTimeout(resolve, 2))
    const modes = execFileSync('stty', ['-a'], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' })
    console.log(how + ', and its own again: ' + (holder() === own) + ', ' + /-?icanon/.exec(modes))
    if (how === 'stopped') process.kill(pid, 'SIGKILL')`
  return new Terminal(process.execPath, ['--input-type=module', '-e', program, thread])
}

it.each([
  ['a child that is killed', 'ended', 'kill -KILL $$', 'icanon'],
  ['one that ends by itself, and leaves the mode as it wants it', 'ended', 'exit', '-icanon'],
  ['one that stops', 'stopped', 'kill -STOP $$', 'icanon'],
])('the terminal is taken back from %s', async (_, how, end, mode) => {
  const terminal = forsaking(`stty raw -echo; read -rn 1; ${end}`)
  await terminal.shows('forsaken, and in the foreground: true')
  terminal.type('x')
  await terminal.shows(`${how}, and its own again: true, ${mode}`)
})

/** The pid of a leader, and of another process of its group, both with a thread that is gone. */
async function forsakenGroup(endsAsOne: boolean): Promise<[leader: number, member: number]> {
  const options = endsAsOne ? `{ processGroup: true, target: 'group' }` : '{ processGroup: true }'
  const worker = new Worker(
    new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { once } from 'node:events'
        import { parentPort } from 'node:worker_threads'
        import { Supervisor } from '${import.meta.resolve('sigshield')}'
        const supervisor = new Supervisor(${options})
        const child = supervisor.spawn('sh', ['-c', 'sleep 1000 >&- 2>&- & echo $!; exec sleep 1000'])
        parentPort.postMessage([child.pid, Number((await once(child.stdout, 'data'))[0])])`)}`,
    ),
  )
  const [pids] = await once(worker, 'message')
  onTestFinished(() => pids.forEach(killed))
  await worker.terminate()
  return pids
}

it('the rest of a group that its end takes along ends too', async () => {
  const [leader, member] = await forsakenGroup(true)
  expect([leader, member].map(isAlive)).toEqual([true, true])
  killed(leader)
  await until(() => !isAlive(member), 'the other one has ended')
})

it('and lives where it does not (the control)', async () => {
  const [[leader, member], [another]] = await Promise.all([forsakenGroup(false), forsakenGroup(true)])
  killed(leader)
  await until(() => !isAlive(leader), 'the leader has ended')
  // Both are reaped by one thread.
  killed(another)
  await until(() => !isAlive(another), 'another has ended')
  expect(isAlive(member)).toBe(true)
})

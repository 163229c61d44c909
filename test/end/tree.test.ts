import { spawn } from 'node:child_process'
import { ExitEvent, type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processOf } from '../support/process-table.mjs'
import { ended, isAlive, line, SETSID, until } from '../support/processes.js'

const NEVER = 600_000

/** Says its pid, and stays. */
const stay = (how: string) => `${how} bash -c 'echo $$; exec sleep 1000' &`

/** A child in its group, one in a session of its own, and one whose parent is gone. */
const family = [stay(''), stay(SETSID), `(${stay(SETSID)})`].join('\n')

/** `sleeping`: how many of the three are to sleep. What comes before its execve bash would take for itself, and forget. */
async function start(script: string, options: SpawnProtectedOptions = {}, sleeping = 3) {
  const child = ended(spawnProtected('bash', ['-c', script], { ...options, stdio: ['ignore', 'pipe', 'inherit'] }))
  const pids: number[] = []
  for (let i = 0; i < 3; i += 1) pids.push(Number(await line(child.stdout)))
  onTestFinished(() => {
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL')
  })
  const named = () => pids.filter((pid) => processOf(pid)?.name === 'sleep')
  await until(() => named().length === sleeping, 'they sleep')
  expect(pids.map(isAlive)).toEqual([true, true, true])
  return { child, pids }
}

describe("target: 'tree'", () => {
  it('takes all, when the child leaves by its event', async () => {
    const script = `${family}\nuntil read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; exit 4`
    const { child, pids } = await start(script, { exitEvent: new ExitEvent() })
    expect(await child.stop({ target: 'tree', grace: NEVER })).toEqual({ code: 4, signal: null, forced: false })
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('takes all, when the child must be killed', async () => {
    const { child, pids } = await start(`trap '' TERM; ${family}\nwhile :; do sleep 0.01; done`, {
      exitEvent: new ExitEvent(),
    })
    expect(await child.stop({ target: 'tree', grace: 20 })).toMatchObject({ signal: 'SIGKILL', forced: true })
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('tells them too, where the child is told by a signal', async () => {
    // It waits for the other: what is left when it has gone is killed.
    const script = `${SETSID} bash -c 'trap "echo told; exit" TERM; echo $$; while :; do sleep 0.01; done' & other=$!
      trap 'wait $other; exit 4' TERM
      ${stay('')}\n${stay('')}\nwhile :; do sleep 0.01; done`
    const { child } = await start(script, { ignore: [] }, 2)
    const told = line(child.stdout)
    const stopping = child.stop({ target: 'tree', grace: NEVER })
    expect(await told).toBe('told')
    expect(await stopping).toEqual({ code: 4, signal: null, forced: false })
  })

  // As it is in the middle of an execve, which can't be held there.
  it('takes what has lost its parent and shows its environment late', async () => {
    const late = `echo $$; while kill -0 $1 2>/dev/null; do sleep 0.01; done; sleep 0.2; SIGSHIELD_EXIT_INODE=$2 exec sleep 1000`
    const script = `(env -i bash -c '${late}' _ $$ $SIGSHIELD_EXIT_INODE &)\n${stay('')}\n${stay('')}\nwait`
    const { child, pids } = await start(script, { exitEvent: new ExitEvent() }, 2)
    await child.stop({ target: 'tree', grace: 20 })
    expect(pids.filter(isAlive)).toEqual([])
  })

  it.each(['exitEvent: new ExitEvent(), ', ''])(
    'takes what a child of its child has left behind, which had {%s}',
    async (option) => {
      const code = `import { ExitEvent, spawnProtected } from 'sigshield'
        const orphan = "(setsid bash -c 'echo $$; exec sleep 1000' &)"
        const options = { ${option}stdio: ['ignore', 'inherit', 'inherit'] }
        spawnProtected('bash', ['-c', orphan], options).on('exit', () => console.log('left'))
        setInterval(() => {}, 1000)`
      const argv = ['--input-type=module', '-e', code]
      const stdio = ['ignore', 'pipe', 'inherit'] as const
      const child = ended(spawnProtected(process.execPath, argv, { exitEvent: new ExitEvent(), stdio: [...stdio] }))
      const said = [await line(child.stdout), await line(child.stdout)]
      const pid = Number(said.find((text) => text !== 'left'))
      onTestFinished(() => {
        if (isAlive(pid)) process.kill(pid, 'SIGKILL')
      })
      await until(() => processOf(pid)?.name === 'sleep', 'it sleeps')
      await child.stop({ target: 'tree', grace: 20 })
      expect(isAlive(pid)).toBe(false)
    },
  )

  it('takes it from a process that had no descriptor to look with', async () => {
    const script = `trap '' TERM; setsid bash -c 'echo $$; exec sleep 1000' & wait`
    const code = `import { closeSync, openSync, writeSync } from 'node:fs'
      import { ExitEvent, spawnProtected } from 'sigshield'
      const say = (text) => writeSync(1, text + '\\n')
      const stdio = ['ignore', 'pipe', 'inherit']
      const child = spawnProtected('bash', ['-c', process.argv[1]], { exitEvent: new ExitEvent(), stdio })
      child.stdout.once('data', async (pid) => {
        say(String(pid).trim())
        const held = []
        const fill = () => { try { for (;;) held.push(openSync('/dev/null')) } catch ({ code }) { say(code) } }
        if (process.argv[2] === 'before') fill()
        const stopping = child.stop({ target: 'tree', grace: 100 })
        if (process.argv[2] === 'after') fill()
        child.once('exit', () => { for (const fd of held) closeSync(fd) })
        say((await stopping).signal)
      })`
    for (const when of ['before', 'after']) {
      const limited = 'ulimit -n 64; exec "$0" --input-type=module -e "$@"'
      const argv = ['-c', limited, process.execPath, code, script, when]
      const program = ended(spawn('bash', argv, { stdio: ['ignore', 'pipe', 'inherit'] }))
      const pid = Number(await line(program.stdout))
      onTestFinished(() => {
        if (isAlive(pid)) process.kill(pid, 'SIGKILL')
      })
      expect([await line(program.stdout), await line(program.stdout)]).toEqual(['EMFILE', 'SIGKILL'])
      expect(isAlive(pid)).toBe(false)
    }
  })

  it('tells that it could not look, where there is no descriptor until the end', async () => {
    const script = 'trap "exit 3" TERM; sleep 1000 & echo $!; wait'
    const code = `import { openSync, writeSync } from 'node:fs'
      import { spawnProtected } from 'sigshield'
      const child = spawnProtected('bash', ['-c', process.argv[1]], { stdio: ['ignore', 'pipe', 'inherit'] })
      const fill = () => { try { for (;;) openSync('/dev/null') } catch {} }
      child.stdout.once('data', async (pid) => {
        writeSync(1, pid)
        fill()
        child.once('exit', fill)
        const error = await child.stop({ target: 'tree' }).catch((error) => error)
        writeSync(1, [error.code, error.syscall, child.exitCode].join() + '\\n')
        process.exit()
      })`
    const limited = 'ulimit -n 64; exec "$0" --input-type=module -e "$@"'
    const argv = ['-c', limited, process.execPath, code, script]
    const program = ended(spawn('bash', argv, { stdio: ['ignore', 'pipe', 'inherit'] }))
    const pid = Number(await line(program.stdout))
    onTestFinished(() => void process.kill(pid, 'SIGKILL'))
    expect(await line(program.stdout)).toBe('EMFILE,open,3')
  })

  it('leaves alone what is another child’s, of the same event', async () => {
    const exitEvent = new ExitEvent()
    const one = await start(`${family}\nwait`, { exitEvent })
    const other = await start(`${family}\nwait`, { exitEvent })
    await one.child.stop({ target: 'tree', grace: 20 })
    expect(one.pids.filter(isAlive)).toEqual([])
    expect(other.pids.filter(isAlive)).toEqual(other.pids)
    await other.child.stop({ target: 'tree', grace: 0 })
  })

  it('leaves those in other groups without it (the control)', async () => {
    const { child, pids } = await start(`${family}\nwhile :; do sleep 0.01; done`, { processGroup: true })
    const groups = pids.filter((pid) => processOf(pid)?.group === child.pid)
    await child.stop({ target: 'group', grace: NEVER })
    const others = pids.filter((pid) => !groups.includes(pid))
    await until(() => !groups.some(isAlive), 'the group is gone')
    expect([others.length, others.filter(isAlive)]).toEqual([2, others])
  })
})

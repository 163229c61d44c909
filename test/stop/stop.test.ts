import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ExitEvent, forkProtected, type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processOf } from '../support/process-table.mjs'
import { closed, echo, ended, isAlive, line, until } from '../support/processes.js'

/** Ignores the signals named, says so, and echoes. */
function bash(script: string, options: SpawnProtectedOptions = {}) {
  const stdio: ['pipe', 'pipe', 'inherit'] = ['pipe', 'pipe', 'inherit']
  return ended(spawnProtected('bash', ['-c', script], { ...options, stdio }))
}
const ready = async (child: ChildProcess) => expect(await line(child.stdout)).toBe('ready')

function newEvent(): ExitEvent {
  const event = new ExitEvent()
  onTestFinished(() => event.set())
  return event
}

/** More than any test takes: a child that ends has been asked, not killed. */
const NEVER = 600_000

describe('stop() asks', () => {
  it('by the exit event, where the child has one, and by nothing else', async () => {
    const script = `trap 'echo SIGTERM' TERM; echo ready; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; exit 7`
    const child = bash(script, { exitEvent: newEvent() })
    await ready(child)
    const rest = line(child.stdout).catch(({ message }) => message)
    expect(await child.stop({ grace: NEVER })).toEqual({ code: 7, signal: null, forced: false })
    expect(child.exitEvent?.isSet()).toBe(true)
    expect(await rest).toBe("the stream ended after ''")
  })

  it('by SIGTERM, where it has none', async () => {
    const child = bash(`trap 'exit 8' TERM; echo ready; while :; do sleep 0.01; done`)
    await ready(child)
    expect(await child.stop({ grace: NEVER })).toEqual({ code: 8, signal: null, forced: false })
  })

  it('by the signal it is told, as well as the event', async () => {
    const script = `trap 'echo heard; exit 9' USR1; echo ready; while :; do sleep 0.01; done`
    const child = bash(script, { exitEvent: newEvent() })
    await ready(child)
    const heard = line(child.stdout)
    expect(await child.stop({ signal: 'SIGUSR1', grace: NEVER })).toEqual({ code: 9, signal: null, forced: false })
    expect([await heard, child.exitEvent?.isSet()]).toEqual(['heard', true])
  })

  it('by a signal where the event is not its own to set', async () => {
    const middle = `
      import { spawnProtected } from 'sigshield'
      import { exitEvent } from 'sigshield/child'
      const child = spawnProtected('sleep', ['1000'], { exitEvent: exitEvent() })
      console.log(JSON.stringify([await child.stop({ grace: 600_000 }), exitEvent().isSet()]))`
    const child = ended(
      spawnProtected(process.execPath, ['--input-type=module', '-e', middle], { exitEvent: newEvent() }),
    )
    const end = closed(child)
    expect(JSON.parse(await line(child.stdout))).toEqual([{ code: null, signal: 'SIGTERM', forced: false }, false])
    await end
  })

  it('a stopped child too, which goes on', async () => {
    const child = bash(`trap 'exit 8' TERM; echo ready; while :; do sleep 0.01; done`)
    await ready(child)
    child.kill('SIGSTOP')
    await until(() => processOf(child.pid as number)?.state === 'T', 'the child is stopped')
    expect(await child.stop({ grace: NEVER })).toEqual({ code: 8, signal: null, forced: false })
  })

  it('a Node worker by its event', async () => {
    const file = join(import.meta.dirname, '../support/exit-event/worker.mjs')
    const child = ended(forkProtected(file, { exitEvent: newEvent() }))
    await once(child, 'message')
    child.send('signal')
    expect(await once(child, 'message')).toEqual(['waiting', undefined])
    expect(await child.stop({ grace: NEVER })).toEqual({ code: 0, signal: null, forced: false })
  })
})

describe('stop() kills when the grace is over', () => {
  const deaf = `trap '' TERM; echo ready; while :; do sleep 0.01; done`
  const forced = { code: null, signal: 'SIGKILL', forced: true }

  it('a child that does not listen', async () => {
    const child = bash(deaf)
    await ready(child)
    expect(await child.stop({ grace: 20 })).toEqual(forced)
  })

  it('at once, without any grace', async () => {
    const child = bash(deaf)
    await ready(child)
    expect(await child.stop({ grace: 0 })).toEqual(forced)
  })

  it('earlier, when a second call shortens it, and never later; all calls share the outcome', async () => {
    const child = bash(deaf)
    await ready(child)
    const calls = [
      child.stop({ grace: NEVER }),
      child.stop({ grace: 20 }),
      child.stop({ grace: Number.POSITIVE_INFINITY }),
    ]
    expect(await Promise.all(calls)).toEqual([forced, forced, forced])
    expect(await child.stop()).toEqual(forced)
  })

  it('and says so only of a child that it killed', async () => {
    const child = bash(deaf)
    await ready(child)
    const stopping = child.stop({ grace: NEVER })
    process.kill(child.pid as number, 'SIGKILL')
    expect(await stopping).toEqual({ code: null, signal: 'SIGKILL', forced: false })
  })
})

it('judges by the exit, not by `killed`: a child that lived through kill() is stopped', async () => {
  const child = bash(`trap 'echo survived' TERM; trap 'exit 3' USR1; echo ready; while :; do sleep 0.01; done`)
  await ready(child)
  child.kill('SIGTERM')
  expect([child.killed, await line(child.stdout)]).toEqual([true, 'survived'])
  expect(await child.stop({ signal: 'SIGUSR1', grace: NEVER })).toEqual({ code: 3, signal: null, forced: false })
})

it('answers at once for a child that has exited, or never started', async () => {
  const child = spawnProtected('sh', ['-c', 'exit 5'], { stdio: 'ignore' })
  await closed(child)
  expect(await child.stop()).toEqual({ code: 5, signal: null, forced: false })
  const missing = spawnProtected('sigshield-no-such-command')
  await once(missing, 'error')
  expect(await missing.stop()).toEqual({ code: null, signal: null, forced: false })
})

describe('stop() refuses, and leaves the child running,', () => {
  it.each<[string, SpawnProtectedOptions, object, string, string]>([
    [
      'a signal that it ignores',
      { ignore: ['SIGUSR1'] },
      { signal: 'SIGUSR1' },
      'ERR_INVALID_ARG_VALUE',
      "'options.signal' must be a signal that the child does not ignore or block",
    ],
    [
      'a signal that it blocks',
      { block: ['SIGUSR1'] },
      { signal: 'SIGUSR1' },
      'ERR_INVALID_ARG_VALUE',
      "'options.signal' must be",
    ],
    [
      'its own SIGTERM, ignored',
      { ignore: ['SIGTERM'] },
      {},
      'ERR_INVALID_ARG_VALUE',
      'Give it an exit event, or name another',
    ],
    [
      'a signal that is none',
      {},
      { signal: 'SIGFOO' },
      'ERR_UNKNOWN_SIGNAL',
      "Unknown signal: 'SIGFOO' in options.signal",
    ],
    ['a negative grace', {}, { grace: -1 }, 'ERR_OUT_OF_RANGE', '"options.grace"'],
    ['a grace that is no number', {}, { grace: '1' }, 'ERR_INVALID_ARG_TYPE', '"options.grace"'],
    ['a target that is none', {}, { target: 'family' }, 'ERR_INVALID_ARG_TYPE', '"options.target"'],
    [
      'a group that it does not lead',
      {},
      { target: 'group' },
      'ERR_INVALID_ARG_VALUE',
      'start the child with { processGroup: true }',
    ],
  ])('%s', async (_what, options, wrong, code, message) => {
    const child = ended(spawnProtected('cat', options))
    const refusal = child.stop(wrong)
    await expect(refusal).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(await echo(child, 'running')).toBe('running')
    expect(await child.stop({ signal: 'SIGHUP', grace: NEVER })).toMatchObject({ signal: 'SIGHUP', forced: false })
  })
})

describe("target: 'group'", () => {
  /** A leader with a child that ignores SIGTERM and one that does not; says their pids. */
  const family = `trap 'exit 4' TERM; (trap '' TERM; exec sleep 1000) & deaf=$!; sleep 1000 & echo $deaf $!; while :; do sleep 0.01; done`

  it.each<SpawnProtectedOptions>([{ processGroup: true }, { detached: true }])('takes all with %j', async (options) => {
    const child = bash(family, options)
    const pids = (await line(child.stdout)).split(' ').map(Number)
    expect(pids.map(isAlive)).toEqual([true, true])
    expect(await child.stop({ target: 'group', grace: NEVER })).toEqual({ code: 4, signal: null, forced: false })
    // Killed while the leader's number was still its own, so before its exit is told.
    await until(() => !pids.some(isAlive), 'the group is gone')
  })

  it('takes a leader that must be killed, and all', async () => {
    const child = bash(`trap '' TERM; sleep 1000 & echo $!; while :; do sleep 0.01; done`, { processGroup: true })
    const pid = Number(await line(child.stdout))
    expect(await child.stop({ target: 'group', grace: 20 })).toEqual({ code: null, signal: 'SIGKILL', forced: true })
    await until(() => !isAlive(pid), 'the group is gone')
  })

  it('leaves others alone without it (the control)', async () => {
    const child = bash(family, { processGroup: true })
    const pids = (await line(child.stdout)).split(' ').map(Number)
    onTestFinished(() => {
      for (const pid of pids) process.kill(pid, 'SIGKILL')
    })
    expect(await child.stop({ grace: NEVER })).toEqual({ code: 4, signal: null, forced: false })
    expect(pids.map(isAlive)).toEqual([true, true])
  })
})

it('a grace that runs holds no process open, and none fires after the exit', () => {
  const code = `import { once } from 'node:events'
    import { spawnProtected } from 'sigshield'
    const child = spawnProtected('sleep', ['1000'], { stdio: 'ignore' })
    child.stop({ grace: 3_600_000 }).then((outcome) => console.log(JSON.stringify(outcome)))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
  expect(JSON.parse(output)).toEqual({ code: null, signal: 'SIGTERM', forced: false })
})

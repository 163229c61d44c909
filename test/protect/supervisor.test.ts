/** Children that other code starts, and that a supervisor ends with its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { ExitEvent, protectionOf, Supervisor } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NodeProgram } from '../support/node-program.js'
import { closed, ended, isAlive, line, SIGINT } from '../support/processes.js'
import { signalState } from '../support/signal-state.js'

const NEVER = 600_000
const polite = 'echo up; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; echo asked'

async function start(script = polite): Promise<ChildProcess> {
  const child = ended(spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] }))
  expect(await line(child.stdout)).toBe('up')
  return child
}

function guarded(supervisor: Supervisor): void {
  const guard = supervisor.protect()
  onTestFinished(() => guard[Symbol.dispose]())
}

describe('supervisor.protect', () => {
  it('shutdown() asks what was adopted by its event, and waits for it', async () => {
    const supervisor = new Supervisor({ grace: NEVER })
    const adopted = await supervisor.protect({}, () => start())
    const own = supervisor.spawn('true')
    const other = await start('echo up; exec sleep 1000')
    expect(signalState(adopted.pid as number).ignored).toContain(SIGINT)
    const end = Promise.all([closed(adopted), line(adopted.stdout)])
    const outcomes = await supervisor.shutdown()
    expect(outcomes.map(({ child }) => child)).toEqual([own])
    expect(adopted.exitCode).toBe(0)
    expect(await end).toEqual([{ code: 0, signal: null }, 'asked'])
    expect(other.exitCode).toBeNull()
  })

  it('what hears no event is told by SIGTERM, and all that has come of it is gone', async () => {
    const supervisor = new Supervisor({ grace: [20, NEVER] })
    guarded(supervisor)
    const child = await start('sleep 1000 & echo up; echo $!; wait')
    const pid = Number(await line(child.stdout))
    await supervisor.shutdown()
    expect([child.signalCode, isAlive(pid)]).toEqual(['SIGTERM', false])
  })

  it('its event tells them too, and one that starts later', async () => {
    const supervisor = new Supervisor({ grace: NEVER })
    guarded(supervisor)
    const child = await start()
    supervisor.exitEvent.set()
    expect(await line(child.stdout)).toBe('asked')
    expect(await line((await start()).stdout)).toBe('asked')
  })

  it('the supervisor’s own options are theirs, SIGTERM may be among them, and null opts out', async () => {
    const supervisor = new Supervisor({ ignore: ['SIGINT', 'SIGTERM'], grace: 20 })
    guarded(supervisor)
    const child = await start('echo up; exec sleep 1000')
    expect(signalState(child.pid as number).ignored).toEqual(expect.arrayContaining([SIGINT, 15]))
    expect(protectionOf(await supervisor.protect(null, () => start('echo up; exec sleep 1000')))).toBeUndefined()
    await supervisor.shutdown()
    expect(child.signalCode).toBe('SIGKILL')
  })

  it('refuses an event of another’s, and a stop that one of them can’t hear', async () => {
    const supervisor = new Supervisor({ grace: NEVER })
    const wrong = { exitEvent: new ExitEvent() } as object
    expect(() => supervisor.protect(wrong)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    const child = await supervisor.protect({}, () => start())
    await expect(supervisor.shutdown({ signal: 'SIGINT' })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect([supervisor.closing, child.exitCode]).toEqual([false, null])
    await supervisor.shutdown({ grace: 0 })
  })

  it('handleSignals() ends them, after what the hook has them do', async () => {
    const program = new NodeProgram(`
      import { exec, spawn } from 'node:child_process'
      import { promisify } from 'node:util'
      import { Supervisor } from 'sigshield'
      const supervisor = new Supervisor({ grace: 600_000 })
      supervisor.protect()
      supervisor.handleSignals({ before: async () => console.log((await promisify(exec)('echo hook')).stdout.trim()) })
      const child = spawn('bash', ['-c', ${JSON.stringify(polite)}])
      child.stdout.on('data', (data) => console.log(String(data).trim()))
      child.on('exit', (code) => console.log('joined', code))`)
    await program.says('up')
    program.kill('SIGINT')
    const { rest, ...exit } = await program.end()
    expect([rest.sort(), exit]).toEqual([['asked', 'hook', 'joined 0'], { code: null, signal: 'SIGINT' }])
  })
})

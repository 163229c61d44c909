/** Options whose names are nearly ours: the program is warned, once, and the start is what Node makes of it. */
import { once } from 'node:events'
import {
  protect,
  type RestartOptions,
  type SpawnProtectedOptions,
  Supervisor,
  spawnProtected,
  spawnSyncProtected,
} from 'sigshield'
import { wait } from 'sigshield/signals'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { closed, ended } from '../support/processes.js'

const warnings: string[] = []
const collect = ({ code, message }: Error & { code?: string }) => {
  if (code === 'SIGSHIELD_UNKNOWN_OPTION') warnings.push(message)
}

beforeEach(() => {
  warnings.length = 0
  process.on('warning', collect)
})
afterEach(() => {
  process.off('warning', collect)
})

/** Warnings come in the order of their making: when this one is here, all before it are. */
async function warned(): Promise<string[]> {
  const marker = new Promise<void>((resolve) => {
    process.on('warning', function listener(warning) {
      if (warning.message !== 'the last') return
      process.off('warning', listener)
      resolve()
    })
  })
  process.emitWarning('the last')
  await marker
  return [...warnings]
}

const start = async (options: object) =>
  expect(await closed(ended(spawnProtected('true', options as SpawnProtectedOptions)))).toEqual({
    code: 0,
    signal: null,
  })

it.each([
  ['ingore', 'ignore'],
  ['ignoreSignals', 'ignore'],
  ['blocked', 'block'],
  ['enforced', 'enforce'],
  ['group', 'groups'],
  ['exit_event', 'exitEvent'],
  ['exitevent', 'exitEvent'],
  ['exitEvnet', 'exitEvent'],
  ['ProcessGroup', 'processGroup'],
  ['forground', 'foreground'],
  ['parentDeathSig', 'parentDeathSignal'],
  ['drian', 'drain'],
])('%s is %s', async (written, meant) => {
  await start({ [written]: [] })
  const text = `sigshield has no option '${written}': did you mean '${meant}'?`
  expect(await warned()).toEqual([text])
  await start({ [written]: [] })
  expect(await warned()).toEqual([text])
})

it('of stop(), of a supervisor and its children, of calls that block', async () => {
  const child = ended(spawnProtected('cat'))
  await child.stop({ grcae: 0 } as object)
  const supervisor = new Supervisor({ restrat: 'always' } as object)
  await once(supervisor.spawn('true', { stdio: 'ignore', restarts: 'always' } as object), 'exit')
  await supervisor.shutdown({ traget: 'group' } as object)
  spawnSyncProtected('true', [], { parentDeathsignal: true } as object)
  expect((await warned()).map((text) => text.replace(/.*option /, ''))).toEqual([
    "'grcae': did you mean 'grace'?",
    "'restrat': did you mean 'restart'?",
    "'restarts': did you mean 'restart'?",
    "'traget': did you mean 'target'?",
    "'parentDeathsignal': did you mean 'parentDeathSignal'?",
  ])
})

it('protect() takes no other options than its own, and says which was meant', () => {
  expect(() => protect({ enforces: true } as object)).toThrow(
    "The property 'options.enforces' is no option of protect() (did you mean 'enforce'?). Received true",
  )
  expect(() => protect({ colour: true } as object)).toThrow("'options.colour' is no option of protect(). Received true")
})

it("Node's own names, ours, and what is near to neither are told nothing", async () => {
  await start({ cwd: '/', env: {}, shell: false, windowsHide: true, timeout: 0, silent: true, input: '', maxBuffer: 1 })
  await start({ ignore: [], block: [], enforce: 'auto', drain: 0, processGroup: false, foreground: false })
  await start({
    process: 1,
    parent: 1,
    force: true,
    trace: 1,
    lock: 1,
    preferLocal: true,
    reject: false,
    extendEnv: true,
    ipc: 1,
    log: 1,
    id: 1,
    wait: true,
    event: 1,
  })
  expect(await warned()).toEqual([])
})

it('of handleSignals(), restart() and its policy, and wait() too', async () => {
  const supervisor = new Supervisor({ restart: { when: 'always', limits: 1, dealy: 3 } as object as RestartOptions })
  supervisor.handleSignals({ signal: ['SIGUSR2'], befor: () => {} } as object)[Symbol.dispose]()
  await supervisor.restart({ raedy: () => {} } as object)
  // Without the warning it is a wait without an end.
  await expect(wait(['SIGUSR2'], { timeout: 10, signal: AbortSignal.abort() } as object)).rejects.toThrow('aborted')
  expect((await warned()).map((text) => text.replace(/.*option /, ''))).toEqual([
    "'limits': did you mean 'limit'?",
    "'dealy': did you mean 'delay'?",
    "'signal': did you mean 'signals'?",
    "'befor': did you mean 'before'?",
    "'raedy': did you mean 'ready'?",
    "'timeout': did you mean 'timeoutMs'?",
  ])
})

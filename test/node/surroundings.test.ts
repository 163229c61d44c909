/** Where test runners and other environments put something in the place of what Node gives a program. */
import { describe, expect, it } from 'vitest'
import { NodeProgram } from '../support/node-program.js'

/** What all of these must do, or the program would not end. */
const work = `
  const deaf = ['-c', "trap '' TERM; echo ready; while :; do sleep 0.01; done"]
  const stdio = ['ignore', 'pipe', 'inherit']
  const say = async (what, promise) => console.log(what + ' ' + JSON.stringify(await promise))
  const ready = async (child) => (await once(child.stdout, 'data'), child)
  const told = ({ code, signal }) => code ?? signal
  const all = async ({ ExitEvent, protect, protectionOf, spawnProtected, Supervisor }) => {
    const own = await ready(spawnProtected('sh', deaf, { stdio, exitEvent: new ExitEvent() }))
    await say('tree', own.stop({ grace: [50, 50], target: 'tree' }).then(told))
    const supervisor = new Supervisor({ grace: 50 })
    await ready(supervisor.spawn('sh', deaf, { stdio }))
    await say('shutdown', supervisor.shutdown().then(([one]) => told(one)))
    const foreign = await ready(protect({ grace: 50 }, () => spawn('sh', deaf, { stdio })))
    await say('protected', protectionOf(foreign).stop().then(told))
    const { signal } = new AbortController()
    await say('drain', once(spawnProtected('true', { drain: 50, signal, timeout: 60_000 }), 'close').then(([code]) => code))
    await say('wait', new ExitEvent().wait(20))
  }
`
const done = ['tree "SIGKILL"', 'shutdown "SIGKILL"', 'protected "SIGKILL"', 'drain 0', 'wait false']

describe('timers of somebody else', () => {
  it.each([
    ['before the first call', 'const library = await import("sigshield")', 'fake()'],
    ['before it is loaded', 'fake()', 'const library = await import("sigshield")'],
  ])('that never fire, %s: the real time counts', async (_when, first, second) => {
    const program = new NodeProgram(`
      import { spawn } from 'node:child_process'
      import { once } from 'node:events'
      ${work}
      const fake = () => {
        const never = () => 1
        for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval']) globalThis[name] = never
        process.hrtime = Object.assign(() => [0, 0], { bigint: () => 0n })
        performance.now = () => 0
      }
      ${first}
      ${second}
      await all(library)
      process.exit()`)
    expect(await program.end()).toEqual({ rest: done, code: 0, signal: null })
  })
})

it('a vm context, which has no Symbol.dispose on Node 20 and 22', async () => {
  const entry = JSON.stringify(import.meta.resolve('../../dist/index.js'))
  const program = new NodeProgram(
    `import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { readFileSync } from 'node:fs'
    import { createContext, SourceTextModule, SyntheticModule } from 'node:vm'
    ${work}
    const context = createContext({ process, console, AbortController, AbortSignal, URL, Buffer, SharedArrayBuffer, Atomics })
    const loaded = new Map()
    const load = (url) => {
      if (!loaded.has(url)) loaded.set(url, url.startsWith('node:') ? nodes(url) : ours(url))
      return loaded.get(url)
    }
    const nodes = async (identifier) => {
      const names = Object.entries(await import(identifier))
      const give = function () { for (const [name, value] of names) this.setExport(name, value) }
      return new SyntheticModule(names.map(([name]) => name), give, { context, identifier })
    }
    const ours = async (identifier) =>
      new SourceTextModule(readFileSync(new URL(identifier), 'utf8'), {
        context,
        identifier,
        initializeImportMeta: (meta) => { meta.url = identifier },
      })
    const library = await load(${entry})
    await library.link((name, { identifier }) => load(name.startsWith('node:') ? name : new URL(name, identifier).href))
    await library.evaluate()
    await all(library.namespace)
    const handling = new library.namespace.Supervisor().handleSignals()
    handling[Symbol.dispose]()
    console.log(process.listenerCount('SIGTERM'))`,
    [],
    { env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --no-warnings' } },
  )
  expect(await program.end()).toEqual({ rest: [...done, '0'], code: 0, signal: null })
})

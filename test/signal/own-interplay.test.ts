/** What else a process does with signals while a scope is open. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { runSignals, well } from '../support/signal/signal-program.js'

const names = `
  const { disposition, hold, ignore, mask, pending, raise, stateOf, wait, waitSync, withMask } = signals
  const hears = async () => {
    const heard = once(process, 'SIGHUP')
    process.kill(self, 'SIGHUP')
    await heard
  }
  const unblockable = ['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS', 'SIGCHLD']
  const all = signals.valid().filter((signal) => !unblockable.includes(signal))
`
const run = (code: string) => runSignals(`${names}\n${code}`)

/** Each in a scope, and what opens and closes it. */
const scopes: [string, string, string][] = [
  [
    'hold',
    `let over; const held = hold(ALL, () => new Promise((resolve) => { over = resolve }))`,
    'over(); await held',
  ],
  ['ignore', 'const ignored = ignore(ALL)', 'ignored[Symbol.dispose]()'],
  [
    'wait',
    'const abort = new AbortController(); const waiting = wait(ALL, { signal: abort.signal })',
    'abort.abort(); await waiting.catch(() => {})',
  ],
]

describe.each(scopes)('inside %s, of every signal that it takes', (_name, open, close) => {
  const inside = (code: string, set = 'all') => run(`${open.replace('ALL', set)}\n${code}\n${close}`)

  it("children start, run and are joined; libc's own signals reach all threads", async () => {
    expect(
      await inside(`
        // libc has every thread of the process do it, by its signal 33 (nptl(7)).
        process.setegid(process.getegid()); process.seteuid(process.geteuid())
        for (const start of [spawn, spawnProtected]) {
          const ignored = (await found('ignored', start)).split(' ').filter((number) => number && number !== '2' && number < 32)
          const child = start('cat')
          print([ignored, await found('blocked', start), stateOf(child.pid).caught])
          const end = once(child, 'exit')
          child.kill('SIGTERM')
          print((await end)[1])
        }`),
    ).toEqual(well([[], '', []], 'SIGTERM', [[], '', []], 'SIGTERM'))
  })

  it('all actions are back after it, to the byte', async () => {
    const { said, ...exit } = await runSignals(
      `${names}
        process.on('SIGTERM', () => {})
        const told = () => signals.valid().map((signal) => signals.describe(signal))
        const before = told()
        ${open.replace('ALL', 'all')}
        const inside = told()
        print(all.filter((signal) => inside[signals.valid().indexOf(signal)] === before[signals.valid().indexOf(signal)]))
        ${close}
        print(told().filter((action, i) => action !== before[i]))
        print(before[signals.valid().indexOf('SIGTERM')])`,
      { ...process.env, LD_PRELOAD: join(programs, 'told-action.so') },
    )
    expect({ said, exit }).toEqual({
      said: [[], [], expect.stringMatching(/^[0-9a-f]{6,} [0-9a-f]+ [0-9a-f]+ fffffff[0-9a-f]+$/)],
      exit: { code: 0, signal: null },
    })
  })

  it('a worker thread starts and ends; its mask is its own', async () => {
    expect(
      await inside(
        `
        const worker = thread("post(signals.mask('block', ['SIGUSR2'])); post(signals.mask('block', []))")
        print(await next(worker))
        print(await next(worker))
        print(mask('block', []))`,
        `['SIGUSR2']`,
      ),
    ).toEqual(well([], ['SIGUSR2'], []))
  })
})

describe('native code keeps the action of a section, and puts it back', () => {
  const put = (code: string) =>
    runSignals(
      `${names}
        const end = (scope) => scope[Symbol.dispose]()
        const kill = () => process.kill(self, 'SIGUSR2')
        const keepOrPutBack = () => signals.describe('SIGUSR2')
        ${code}
        await hears()
        print('alive')`,
      { ...process.env, LD_PRELOAD: join(programs, 'kept-action.so') },
    )

  it('while it is ignored: it stays so', async () => {
    expect(
      await put(`
        await hold(['SIGUSR2'], async () => {
          keepOrPutBack()
          const ignoring = ignore(['SIGUSR2'])
          keepOrPutBack()
          kill()
          end(ignoring)
        })`),
    ).toEqual(well('alive'))
  })

  it('when nobody takes it any more: what was there before the section is done, and goes on', async () => {
    expect(
      await put(`
        process.on('SIGUSR2', () => print('heard'))
        await hold(['SIGUSR2'], keepOrPutBack)
        for (let i = 0; i < 2; i += 1) {
          keepOrPutBack()
          kill()
          await hears()
          kill()
          await hears()
        }
        await hold(['SIGUSR2'], kill)`),
    ).toEqual(well(...Array(5).fill('heard'), 'alive'))
  })

  it('where it had no listener, the default action is done', async () => {
    expect(
      await put(`
        await hold(['SIGUSR2'], keepOrPutBack)
        keepOrPutBack()
        kill()`),
    ).toEqual({ said: [], code: null, signal: 'SIGUSR2' })
  })
})

it('what is ignored: a child of child_process inherits the real-time signals of it alone, as libuv resets the others; ours none', async () => {
  expect(
    await run(`
      ignore(['SIGUSR2', 40])
      for (const child of [spawn('cat'), spawnProtected('cat', { ignore: [] })]) {
        print(stateOf(child.pid).ignored)
        child.kill('SIGKILL')
      }`),
  ).toEqual(well([40], []))
})

describe('a process that ends inside ends by its own code, whichever listeners have come and gone', () => {
  it.each(scopes)('%s', async (_name, open) => {
    for (const end of ['process.exit(7)', 'process.exitCode = 7']) {
      expect(
        await run(`
          const listener = () => {}
          process.on('SIGUSR2', listener)
          ${open.replace('ALL', `['SIGUSR2', 'SIGTERM']`)}
          process.off('SIGUSR2', listener)
          process.on('SIGTERM', listener)
          process.kill(self, 'SIGUSR2')
          print('in')
          ${open.startsWith('const abort') ? 'abort.abort(); await waiting' : ''}
          ${end}`),
      ).toEqual({ said: ['in'], code: 7, signal: null })
    }
  })
})

it('a listener that calls once only is called once, after the section', async () => {
  expect(
    await run(`
      process.once('SIGUSR2', () => print('once'))
      process.on('SIGUSR2', () => print('on'))
      await hold(['SIGUSR2'], async () => { process.kill(self, 'SIGUSR2'); await hears(); print('inside') })
      await hears()
      process.kill(self, 'SIGUSR2')
      await hears()`),
  ).toEqual(well('inside', 'once', 'on', 'on'))
})

it('a section is held by a mask too: what the thread blocks stays pending in the process after it', async () => {
  expect(
    await run(`
      process.on('SIGUSR2', () => print('heard'))
      mask('block', ['SIGUSR2'])
      await hold(['SIGUSR2'], () => raise('SIGUSR2'))
      print(pending())
      await withMask('unblock', ['SIGUSR2'], () => {})
      await hears()
      print(pending())`),
  ).toEqual(well(['SIGUSR2'], 'heard', []))
})

it('waitSync leaves to a section what it holds, also where the thread blocks it', async () => {
  expect(
    await run(`
      const both = ['SIGTERM', 'SIGUSR2']
      const seen = []
      for (const signal of both) process.on(signal, () => seen.push(signal))
      mask('block', both)
      await hold(both, () => {
        for (const signal of both) process.kill(self, signal)
        // Whichever comes first: other threads are reached by them.
        seen.push(waitSync(both).name)
      })
      // Another thread gets what this one blocks, whenever that runs.
      while (seen.length < 2) await new Promise(setImmediate)
      print(seen.sort())
      print(pending())`),
  ).toEqual(well(['SIGTERM', 'SIGUSR2'], []))
})

it('waitSync takes what a worker thread sends itself, and the other way round', async () => {
  expect(
    await run(`
      const worker = thread("const { name } = signals.waitSync(['SIGUSR2']); post(name)")
      const told = next(worker)
      while (disposition('SIGUSR2') !== 'handled') await new Promise(setImmediate)
      raise('SIGUSR2')
      print(await told)
      await hold(['SIGUSR2'], async () => {
        await next(thread("signals.raise('SIGUSR2'); post(1)"))
        print(waitSync(['SIGUSR2'], 0).pid === self)
      })`),
  ).toEqual(well('SIGUSR2', true))
})

it('withMask gives back exactly what was there, whatever is done inside, and however deep', async () => {
  expect(
    await run(`
      mask('set', ['SIGHUP', 'SIGWINCH'])
      const told = () => mask('block', [])
      withMask('set', [], () => {
        try {
          withMask('block', ['SIGTERM', 'SIGQUIT'], () => { mask('set', ['SIGUSR1']); print(told()); throw 1 })
        } catch { print(told()) }
        print(withMask('unblock', ['SIGTERM'], () => 5))
      })
      print(told())
      const promise = { then() {} }
      try { withMask('block', ['SIGTERM'], () => promise) } catch ({ code }) { print(code) }
      print(told())`),
  ).toEqual(well(['SIGUSR1'], [], 5, ['SIGHUP', 'SIGWINCH'], 'ERR_INVALID_RETURN_VALUE', ['SIGHUP', 'SIGWINCH']))
})

it('32 and 33 are told of others, and never taken', async () => {
  expect(
    await run(`
      for (const number of [32, 33]) {
        for (const call of [() => ignore([number]), () => waitSync([number]), () => raise(number), () => disposition(number), () => signals.describe(number), () => signals.kill(self, number, { startedAt: 1 })]) {
          try { call(); print('done') } catch ({ code }) { if (code !== 'ERR_UNKNOWN_SIGNAL') print(code) }
        }
        await hold([number], () => {}).catch(({ code }) => print(code))
        await wait([number]).catch(({ code }) => print(code))
      }
      print(signals.valid().includes(32) || mask('set', all).includes(33) || mask('set', []).includes(32))
      print(stateOf(self).caught.filter((signal) => signal === 32 || signal === 33).length <= 2)`),
  ).toEqual(well(...Array(4).fill('ERR_UNKNOWN_SIGNAL'), false, true))
})

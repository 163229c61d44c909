/** wait: what ends it, and who takes the signal. Each in a process of its own: a test's own signals are vitest's. */
import { describe, expect, it } from 'vitest'
import { stateOf } from '../../lib/signals.js'
import { limit, times } from '../support/limits.js'
import { NodeProgram } from '../support/node-program.js'
import { until } from '../support/processes.js'
import { runSignals, well } from '../support/signal/signal-program.js'

const names = `
  const { disposition, hold, mask, raise, wait, waitSync } = signals
  /** A listener is called in a later turn: this waits for all that was sent before, by the next on the same channel. */
  const hears = async () => {
    const heard = once(process, 'SIGHUP')
    process.kill(self, 'SIGHUP')
    await heard
  }
  const failure = ({ name, code, message, cause }) => [name, code, message, cause?.message ?? cause]
`
const run = (code: string) => runSignals(`${names}\n${code}`)
const aborted = (cause: unknown) => ['AbortError', 'ABORT_ERR', 'The operation was aborted', cause]

describe('an abort', () => {
  it('by what only looks like an AbortSignal is refused, and takes no signal', async () => {
    expect(
      await run(`
        process.on('SIGUSR2', () => print('heard'))
        await wait(['SIGUSR2'], { signal: { aborted: false } }).catch(({ name }) => print(name))
        const heard = once(process, 'SIGUSR2')
        process.kill(self, 'SIGUSR2')
        await heard`),
    ).toEqual(well('TypeError', 'heard'))
  })

  it('rejects as in Node, and what comes later goes to listeners', async () => {
    expect(
      await run(`
        process.on('SIGUSR2', () => print('heard'))
        const controller = new AbortController()
        const waiting = wait(['SIGUSR2', 40], { signal: controller.signal })
        await hears()
        controller.abort(new Error('mine'))
        await waiting.catch((error) => print(failure(error)))
        process.kill(self, 'SIGUSR2')
        await hears()
        print(disposition(40))
        // Node's own promises reject so.
        const { setTimeout } = await import('node:timers/promises')
        await setTimeout(1, 0, { signal: AbortSignal.abort('why') }).catch((error) => print(failure(error)))`),
    ).toEqual(well(aborted('mine'), 'heard', 'default', aborted('why')))
  })

  it('that came before the call rejects without taking what is pending', async () => {
    expect(
      await run(`
        mask('block', ['SIGUSR2'])
        raise('SIGUSR2')
        await wait(['SIGUSR2'], { signal: AbortSignal.abort('why') }).catch((error) => print(failure(error)))
        print(signals.pending())
        print((await wait(['SIGUSR2'], 1000, { signal: new AbortController().signal })).name)`),
    ).toEqual(well(aborted('why'), ['SIGUSR2'], 'SIGUSR2'))
  })

  it('after the signal has come loses to it', async () => {
    const { said } = await run(`
      for (let i = 0; i < 50; i += 1) {
        const controller = new AbortController()
        const waiting = wait(['SIGUSR2'], { signal: controller.signal })
        process.kill(self, 'SIGUSR2')
        controller.abort()
        print((await waiting).name)
        controller.abort()
      }
      print(disposition('SIGUSR2'))`)
    expect(said).toEqual([...Array(50).fill('SIGUSR2'), 'default'])
  })

  it('of a wait that is over does nothing, and leaves no listener on the signal', async () => {
    expect(
      await run(`
        const { getEventListeners } = await import('node:events')
        const controller = new AbortController()
        print((await wait(['SIGUSR2'], { timeoutMs: 1, signal: controller.signal })) === undefined)
        const waiting = wait(['SIGUSR2'], { signal: controller.signal })
        process.kill(self, 'SIGUSR2')
        print((await waiting).name)
        print(getEventListeners(controller.signal, 'abort').length)
        controller.abort()
        print(disposition('SIGUSR2'))`),
    ).toEqual(well(true, 'SIGUSR2', 0, 'default'))
  })

  it(
    'racing with a signal loses none: it is waited for, or heard',
    async () => {
      const count = times(500)
      const program = new NodeProgram(`
        import { wait } from 'sigshield/signals'
        let got = 0
        const ways = new Set()
        const tell = (way) => { ways.add(way); got += 1; console.log(got) }
        process.on('SIGUSR2', () => tell('heard'))
        console.log('ready')
        while (got < ${count}) {
          const controller = new AbortController()
          setImmediate(() => controller.abort())
          await wait(['SIGUSR2'], { signal: controller.signal }).then(() => tell('waited for'), () => {})
          await new Promise(setImmediate)
        }
        console.log([...ways].sort().join())`)
      await program.says('ready')
      for (let i = 1; i <= count; i += 1) {
        program.kill('SIGUSR2')
        await program.says(`${i}`)
      }
      expect(await program.end()).toEqual({ rest: ['heard,waited for'], code: 0, signal: null })
    },
    limit(60_000),
  )
})

describe('a wait and the process', () => {
  it('keeps it alive, by its signal or its time; not with ref: false', async () => {
    expect(await run(`clearInterval(alive); print((await wait(['SIGUSR2'], 50)) === undefined)`)).toEqual(well(true))
    const code = (options: string) => `
      import { wait } from 'sigshield/signals'
      process.on('exit', () => console.log('exit'))
      const controller = new AbortController()
      void wait(['SIGUSR2'], ${options}).then(() => console.log('over'))
      console.log('waits')`
    expect(await new NodeProgram(code('{ ref: false }')).end()).toEqual({
      rest: ['waits', 'exit'],
      code: 0,
      signal: null,
    })
    const kept = new NodeProgram(code('{ ref: true }'))
    await kept.says('waits')
    kept.kill('SIGUSR2')
    expect(await kept.end()).toEqual({ rest: ['over', 'exit'], code: 0, signal: null })
  })

  it('that exits while many wait exits by its own code', async () => {
    expect(
      await run(`
        const workers = [1, 2].map(() => thread("signals.wait(['SIGUSR2', 40]); signals.wait(['SIGHUP']); post(1)"))
        await Promise.all(workers.map(next))
        wait(['SIGUSR2']); wait(['SIGUSR2', 40])
        process.kill(self, 'SIGUSR2')
        process.exit(3)`),
    ).toEqual({ said: [], code: 3, signal: null })
  })
})

describe('several waits for one signal', () => {
  it('each takes one, the last call first', async () => {
    expect(
      await run(`
        const waits = ['a', 'b', 'c'].map((name) => wait(['SIGUSR2']).then(() => print(name)))
        for (const name of 'cba') {
          process.kill(self, 'SIGUSR2')
          await Promise.race(waits)
          waits.pop()
        }
        print(disposition('SIGUSR2'))`),
    ).toEqual(well('c', 'b', 'a', 'default'))
  })

  it('from several threads, each takes one; one that is terminated hands on to the others', async () => {
    expect(
      await run(`
        const code = "post('waits'); signals.wait(['SIGUSR2', 41]).then(({ name }) => post(name))"
        const workers = []
        for (let i = 0; i < 4; i += 1) {
          const worker = thread(code.replace("post('waits');", '') + "; post('waits')")
          await next(worker)
          workers.push(worker)
        }
        const own = wait(['SIGUSR2'])
        await workers[3].terminate()
        process.kill(self, 'SIGUSR2')
        print((await own).name)
        for (const [i, signal] of [[2, 'SIGUSR2'], [1, 41], [0, 'SIGUSR2']]) {
          const told = next(workers[i])
          process.kill(self, signal)
          print([i, await told])
        }
        print([disposition('SIGUSR2'), disposition(41)])
        for (const worker of workers) await worker.terminate()`),
    ).toEqual(well('SIGUSR2', [2, 'SIGUSR2'], [1, 41], [0, 'SIGUSR2'], ['default', 'default']))
  })

  it('a thread that is terminated takes none away, taken already or not', async () => {
    const { said, code } = await run(`
      let heard = 0
      process.on('SIGUSR2', () => { heard += 1 })
      for (let i = 0; i < 20; i += 1) {
        // It has a signal, and can't be told of it.
        const worker = thread("signals.wait(['SIGUSR2']).then(() => post('never')); post('waits'); for (;;);")
        await next(worker)
        process.kill(self, 'SIGUSR2')
        worker.on('message', print)
        await worker.terminate()
        await hears()
        if (heard !== i + 1) print([i, heard])
      }
      print(heard)`)
    expect({ said, code }).toEqual({ said: [20], code: 0 })
  })
})

describe('its time', () => {
  it('is in milliseconds, in either place, and none by default', async () => {
    expect(
      await run(`
        for (const given of [[20], [{ timeoutMs: 20 }], [20, {}]]) {
          const start = performance.now()
          const none = (await wait(['SIGUSR2'], ...given)) === undefined
          print(none && performance.now() - start >= 19)
        }
        print((await wait(['SIGUSR2'], { timeoutMs: 0 })) === undefined)
        const waiting = wait(['SIGUSR2'], Infinity)
        process.kill(self, 'SIGUSR2')
        print((await waiting).name)`),
    ).toEqual(well(true, true, true, true, 'SIGUSR2'))
  })
})

it('listeners that come and go while it waits hear nothing, and hear the next', async () => {
  expect(
    await run(`
      const listener = () => print('heard')
      for (const change of [() => process.on('SIGUSR2', listener), () => process.off('SIGUSR2', listener), () => process.on('SIGUSR2', listener).off('SIGUSR2', listener)]) {
        const waiting = wait(['SIGUSR2'])
        change()
        process.kill(self, 'SIGUSR2')
        print((await waiting).name)
        await hears()
        print(disposition('SIGUSR2'))
        if (disposition('SIGUSR2') === 'handled') process.kill(self, 'SIGUSR2')
        await hears()
      }`),
  ).toEqual(well('SIGUSR2', 'handled', 'heard', 'SIGUSR2', 'default', 'SIGUSR2', 'default'))
})

describe('the signal that wakes our own threads', () => {
  const isWaiting = ({ pid }: NodeProgram) =>
    until(() => stateOf(pid).caught?.includes('SIGUSR2') ?? false, 'it does not wait')

  it.each([
    ['wait', `void wait(['SIGUSR2'])`],
    ['waitSync', `waitSync(['SIGUSR2'])`],
  ])('%s: sent by another process it does what it always does', async (_name, call) => {
    const program = new NodeProgram(`
      import { wait, waitSync } from 'sigshield/signals'
      console.log('ready')
      ${call}`)
    await program.says('ready')
    await isWaiting(program)
    program.kill('SIGSYS')
    expect(await program.end()).toEqual({ rest: [], code: null, signal: 'SIGSYS' })
  })

  it('waitSync: its listener hears it', async () => {
    const program = new NodeProgram(`
      import { waitSync } from 'sigshield/signals'
      const alive = setInterval(() => {}, 1000)
      process.on('SIGSYS', () => { console.log('heard'); clearInterval(alive) })
      console.log('ready')
      console.log(waitSync(['SIGUSR2']).name)`)
    await program.says('ready')
    await isWaiting(program)
    program.kill('SIGSYS')
    program.kill('SIGUSR2')
    expect(await program.end()).toEqual({ rest: ['SIGUSR2', 'heard'], code: 0, signal: null })
  })
})

describe('what is refused, before anything', () => {
  it.each([
    [
      '{ signal: 1 }',
      'ERR_INVALID_ARG_TYPE',
      'The "options.signal" property must be an instance of AbortSignal. Received 1',
    ],
    [
      '{ signal: null }',
      'ERR_INVALID_ARG_TYPE',
      'The "options.signal" property must be an instance of AbortSignal. Received null',
    ],
    ['{ ref: 1 }', 'ERR_INVALID_ARG_TYPE', 'The "options.ref" property must be of type boolean. Received 1'],
    ['1, 2', 'ERR_INVALID_ARG_TYPE', 'The "options" argument must be of type object. Received 2'],
    ['null', 'ERR_INVALID_ARG_TYPE', 'The "timeoutMs" argument must be of type number. Received null'],
    [
      '{ timeoutMs: -1 }',
      'ERR_OUT_OF_RANGE',
      'The value of "timeoutMs" is out of range. It must be >= 0 && <= 2147483647, or Infinity. Received -1',
    ],
    [
      '{ timeoutMs: NaN }',
      'ERR_OUT_OF_RANGE',
      'The value of "timeoutMs" is out of range. It must be >= 0 && <= 2147483647, or Infinity. Received NaN',
    ],
    [
      '{ signal: AbortSignal.abort(), ref: 0 }',
      'ERR_INVALID_ARG_TYPE',
      'The "options.ref" property must be of type boolean. Received 0',
    ],
  ])('%s', async (options, code, message) => {
    expect(
      await run(`
        mask('block', ['SIGUSR2'])
        raise('SIGUSR2')
        await wait(['SIGUSR2'], ${options}).then(() => print('done'), (error) => print([error.code, error.message]))
        print(signals.pending())`),
    ).toEqual(well([code, message], ['SIGUSR2']))
  })
})

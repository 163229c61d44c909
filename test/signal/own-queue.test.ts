/** Where the system has no room to queue a signal: RLIMIT_SIGPENDING of getrlimit(2). */
import { describe, expect, it } from 'vitest'
import { NodeProgram } from '../support/node-program.js'
import { runSignals, well } from '../support/signal/signal-program.js'

const names = `
  import { spawnSync } from 'node:child_process'
  import { setTimeout } from 'node:timers/promises'
  const { disposition, hold, ignore, mask, raise, wait, waitSync } = signals
  const room = (signals) => spawnSync('prlimit', ['--pid', String(self), '--sigpending=' + signals]).status
  const take = (count) => Array.from({ length: count }, () => waitSync([40, 41], 0)?.name ?? null)
`
const run = (code: string) => runSignals(`${names}\n${code}`)

describe('without room for any', () => {
  it('real-time signals are held and taken, as many as came', async () => {
    expect(
      await run(`
        print(room(0))
        await hold([40, 41], async () => {
          for (const signal of [40, 41, 40]) process.kill(self, signal)
          print(take(4))
          for (const signal of [40, 41, 40]) process.kill(self, signal)
          const { name, pid } = await wait([41])
          print([name, pid])
          print([(await wait([40, 41], 1000)).name, (await wait([40, 41], 1000)).name, await wait([40, 41], 1)])
        })
        print(disposition(40))`),
    ).toEqual(well(0, [40, 40, 41, null], [41, 0], [40, 40, null], 'default'))
  })

  it('sections hand on what they hold, queued or not', async () => {
    expect(
      await run(`
        await hold([40], async () => {
          await hold([40], () => {
            process.kill(self, 40); process.kill(self, 40)
            print(room(0))
            process.kill(self, 40)
          })
          print(take(4))
          process.kill(self, 40)
          ignore([40])[Symbol.dispose]()
          print(take(1))
        })`),
    ).toEqual(well(0, [40, 40, 40, null], [null]))
  })

  it('what a wait below has not taken yet is its own when the section over it ends', async () => {
    expect(
      await run(`
        room(0)
        const waiting = wait([40])
        await hold([40], () => process.kill(self, 40))
        print((await waiting).name)
        print(disposition(40))`),
    ).toEqual(well(40, 'default'))
  })

  it('the default action is done at the end; a listener is called once', async () => {
    expect(
      await run(`
        room(0)
        let heard = 0
        process.on('SIGUSR2', () => { heard += 1 })
        await hold(['SIGUSR2'], () => { process.kill(self, 'SIGUSR2'); print(heard) })
        while (heard === 0) await new Promise(setImmediate)
        print(heard)
        // Node has no word for a process that such a signal ends.
        await hold([40], () => { process.kill(self, 40); print('in') })
        print('never said')`),
    ).toMatchObject({ said: [0, 1, 'in'] })
  })

  it('waits take what comes from another process', async () => {
    const program = new NodeProgram(`
      import { spawnSync } from 'node:child_process'
      import { hold, wait, waitSync } from 'sigshield/signals'
      spawnSync('prlimit', ['--pid', String(process.pid), '--sigpending=0'])
      const first = wait([40, 'SIGUSR2'])
      console.log('ready')
      console.log((await first).number)
      const second = wait([40, 'SIGUSR2'])
      console.log('ready')
      console.log((await second).number)
      await hold([40], () => {
        console.log('ready')
        console.log(waitSync([40]).number)
      })`)
    await program.says('ready')
    process.kill(program.pid, 40)
    await program.says('40', 'ready')
    process.kill(program.pid, 'SIGUSR2')
    await program.says('12', 'ready')
    process.kill(program.pid, 40)
    expect(await program.end()).toEqual({ rest: ['40'], code: 0, signal: null })
  })

  it('waits end by an abort, and with their worker thread: nothing is sent to the program', async () => {
    expect(
      await run(`
        room(0)
        for (const taken of ['SIGUSR2', 40]) {
          const controller = new AbortController()
          const waiting = wait([taken], { signal: controller.signal })
          controller.abort()
          await waiting.catch(({ code }) => print(code))
          const worker = thread('signals.wait([' + JSON.stringify(taken) + ']); post(1)')
          await next(worker)
          await worker.terminate()
          print((await wait([taken], 1)) === undefined)
          print(disposition(taken))
        }`),
    ).toEqual(well('ABORT_ERR', true, 'default', 'ABORT_ERR', true, 'default'))
  })

  it('a signal that the wait of a worker thread has taken is not lost with the thread', async () => {
    expect(
      await run(`
        room(0)
        await hold([40], async () => {
          // The thread has no more turns.
          const worker = thread(
            'signals.wait([40]); post(1); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)')
          await next(worker)
          process.kill(self, 40)
          // In this time the wait takes it, which nothing shows. Were it later, the signal would be the section's: the same outcome.
          await setTimeout(50)
          await worker.terminate()
          print(take(2))
        })`),
    ).toEqual(well([40, null]))
  })

  it('raise tells it', async () => {
    expect(
      await run(`
        mask('block', [40])
        room(0)
        try { raise(40) } catch ({ code, errno, syscall, message }) { print([code, errno, syscall, message]) }
        print(signals.pending())`),
    ).toEqual(well(['EAGAIN', -11, 'tgkill', 'tgkill EAGAIN'], []))
  })
})

/** This thread's mask, and taking what waits behind it. Each in a process of its own: a test's own signals are vitest's. */
import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { runSignals, well } from '../support/signal/signal-program.js'

const USR2 = constants.signals.SIGUSR2

const names = 'const { mask, withMask, pending, wait, waitSync, raise } = signals'
const run = (code: string) => runSignals(`${names}\n${code}`)

let self = 0
beforeEach(() => {
  self = process.getuid?.() as number
})

describe('mask', () => {
  it('changes the mask and returns the one that was there, real-time signals by number', async () => {
    expect(
      await run(`
        print(mask('block', ['SIGUSR2', 'SIGTERM', 40, 64]))
        print(mask('unblock', ['SIGTERM']))
        print(mask('set', ['SIGHUP']))
        print(mask('set', signals.valid().filter((signal) => !['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'].includes(signal))))
        print(mask('set', []).length)
        print(mask('block', []))`),
    ).toEqual(well([], ['SIGUSR2', 'SIGTERM', 40, 64], ['SIGUSR2', 40, 64], ['SIGHUP'], 54, []))
  })

  it('keeps a listener from being called, and gives the signal back; without it the listener is called', async () => {
    const code = (before: string, after: string) => `
      process.on('SIGUSR2', () => print('heard'))
      ${before}
      raise('SIGUSR2')
      print(pending())
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      print('later')
      ${after}
      // The next on the same channel.
      const heard = once(process, 'SIGHUP')
      raise('SIGHUP')
      await heard`
    expect(await run(code(`mask('block', ['SIGUSR2'])`, `mask('unblock', ['SIGUSR2'])`))).toEqual(
      well(['SIGUSR2'], 'later', 'heard'),
    )
    expect((await run(code('', ''))).said).toEqual([[], 'heard', 'later'])
  })

  it('what is blocked ends the process when it is unblocked; not blocked, at once', async () => {
    expect(await run(`mask('block', ['SIGTERM']); raise('SIGTERM'); print(1); mask('set', []); print(2)`)).toEqual({
      said: [1],
      code: null,
      signal: 'SIGTERM',
    })
    expect(await run(`raise('SIGTERM'); print(1)`)).toEqual({ said: [], code: null, signal: 'SIGTERM' })
  })

  it('is of one thread: a worker inherits it, and changes its own alone', async () => {
    expect(
      await run(`
        mask('block', ['SIGUSR2'])
        const worker = thread(\`const old = signals.mask('set', ['SIGHUP']); post([old.includes('SIGUSR2'), signals.mask('block', [])])\`)
        print(await next(worker))
        print(mask('block', []))`),
    ).toEqual(well([true, ['SIGHUP']], ['SIGUSR2']))
  })
})

describe('withMask', () => {
  it('restores exactly what was there, after a throw too', async () => {
    expect(
      await run(`
        mask('set', ['SIGHUP', 50])
        print(withMask('set', ['SIGUSR2'], () => mask('block', ['SIGTERM'])))
        print(mask('block', []))
        try { withMask('unblock', ['SIGHUP'], () => { throw new Error('mine') }) } catch (error) { print(error.message) }
        print(mask('block', []))
        try { withMask('block', ['SIGTERM'], () => Promise.resolve()) } catch (error) { print(error.code) }
        print(mask('block', []))
        try { withMask('block', ['SIGTERM'], async () => print('called')) } catch (error) { print(error.code) }
        print(mask('block', []))`),
    ).toEqual(
      well(
        ['SIGUSR2'],
        ['SIGHUP', 50],
        'mine',
        ['SIGHUP', 50],
        'ERR_INVALID_RETURN_VALUE',
        ['SIGHUP', 50],
        'ERR_INVALID_ARG_VALUE',
        ['SIGHUP', 50],
      ),
    )
  })

  it('no child inherits it: of child_process none, of ours its own block', async () => {
    expect(
      await run(`
        let told
        withMask('block', ['SIGUSR2'], () => {
          told = [[spawn], [spawnProtected], [spawnProtected, { block: ['SIGHUP'] }]]
            .map(([start, options]) => found('blocked', start, options))
        })
        print(await Promise.all(told))`),
    ).toEqual(well(['', '', '1']))
  })
})

describe('waitSync and wait', () => {
  it('take what is pending, and what comes, with its sender', async () => {
    const from = (sender: unknown) => ({ number: USR2, name: 'SIGUSR2', pid: sender, uid: self, fromKernel: false })
    const { said, ...exit } = await run(`
      print(self)
      mask('block', ['SIGUSR2'])
      raise('SIGUSR2')
      print(waitSync(['SIGUSR2', 'SIGHUP'], 0))
      raise('SIGUSR2')
      print(await wait(['SIGUSR2']))
      print(pending())
      mask('set', [])
      // Whenever the child sends it.
      await signals.hold(['SIGUSR2'], () => {
        const child = spawn('kill', ['-USR2', String(self)])
        print(waitSync(['SIGUSR2']))
        print(child.pid)
      })
      const later = wait(['SIGUSR2'])
      process.kill(self, 'SIGUSR2')
      print(await later)
      print(waitSync(['SIGUSR2'], 1))
      print(await wait(['SIGUSR2'], 1))`)
    expect(exit).toEqual({ code: 0, signal: null })
    const [own, , , , , child] = said
    expect(said).toEqual([own, from(own), from(own), [], from(child), child, from(own), null, null])
  })

  it('no listener hears what is taken; before and after they do', async () => {
    expect(
      await run(`
        process.on('SIGUSR2', () => print('heard'))
        raise('SIGUSR2')
        await once(process, 'SIGUSR2')
        const taken = wait(['SIGUSR2'])
        process.kill(self, 'SIGUSR2')
        print((await taken).name)
        raise('SIGUSR2')
        await once(process, 'SIGUSR2')`),
    ).toEqual(well('heard', 'SIGUSR2', 'heard'))
  })

  it('do not block the loop, and queue real-time signals in order', async () => {
    expect(
      await run(`
        const waiting = wait(['SIGUSR2'])
        await new Promise(setImmediate)
        print('the loop turns')
        process.kill(self, 'SIGUSR2')
        print((await waiting).name)
        mask('block', [40, 41])
        for (const signal of [41, 40, 40]) raise(signal)
        for (let i = 0; i < 4; i += 1) print(waitSync([40, 41], 0)?.name)`),
    ).toEqual(well('the loop turns', 'SIGUSR2', 40, 40, 41, null))
  })

  it('work in a worker thread, which is terminated while it waits', async () => {
    expect(
      await run(`
        const worker = thread(\`
          const first = signals.wait(['SIGUSR2'])
          post('waits')
          post((await first).name)
          signals.wait(['SIGUSR2'])
          post('waits')\`)
        print(await next(worker))
        process.kill(self, 'SIGUSR2')
        print(await next(worker))
        await next(worker)
        await worker.terminate()
        print(signals.disposition('SIGUSR2'))`),
    ).toEqual(well('waits', 'SIGUSR2', 'default'))
  })
})

describe('what is refused', () => {
  it.each([
    [`mask('block', ['SIGKILL'])`, 'ERR_INVALID_ARG_VALUE'],
    [`mask('block', ['SIGSEGV'])`, 'ERR_INVALID_ARG_VALUE'],
    [`mask('block', [32])`, 'ERR_UNKNOWN_SIGNAL'],
    [`mask('block', [33])`, 'ERR_UNKNOWN_SIGNAL'],
    [`mask('add', [])`, 'ERR_INVALID_ARG_VALUE'],
    [`mask(0, [])`, 'ERR_INVALID_ARG_TYPE'],
    [`mask('block', 'SIGINT')`, 'ERR_INVALID_ARG_TYPE'],
    [`withMask('block', [], 1)`, 'ERR_INVALID_ARG_TYPE'],
    [`waitSync([])`, 'ERR_INVALID_ARG_VALUE'],
    [`waitSync(['SIGCHLD'])`, 'ERR_INVALID_ARG_VALUE'],
    [`waitSync(['SIGINT'], -1)`, 'ERR_OUT_OF_RANGE'],
    [`await wait(['SIGINT'], '1')`, 'ERR_INVALID_ARG_TYPE'],
    [`raise(32)`, 'ERR_UNKNOWN_SIGNAL'],
    [`signals.describe('INT')`, 'ERR_UNKNOWN_SIGNAL'],
    [`signals.ignore(['SIGCHLD'])`, 'ERR_INVALID_ARG_VALUE'],
    [`await signals.hold(['SIGKILL'], () => {})`, 'ERR_INVALID_ARG_VALUE'],
    [`await signals.hold(['SIGINT'])`, 'ERR_INVALID_ARG_TYPE'],
    [`signals.stateOf('1')`, 'ERR_INVALID_ARG_TYPE'],
    [`signals.stateOf(0)`, 'ERR_OUT_OF_RANGE'],
    [`signals.kill(self, 'SIGTERM')`, 'ERR_INVALID_ARG_TYPE'],
    [`signals.kill(self, 'SIGTERM', {})`, 'ERR_INVALID_ARG_TYPE'],
  ])('%s', async (code, expected) => {
    expect(await run(`try { ${code}; print('done') } catch (error) { print(error.code) }`)).toEqual(well(expected))
  })
})

it('all signals have a description', async () => {
  const { said } = await run(`
    print(signals.valid().filter((signal) => signals.describe(signal) === ''))
    print(signals.valid().length)
    print(['SIGINT', 'SIGTERM', 34].map(signals.describe))`)
  expect(said).toEqual([[], 62, ['Interrupt', 'Terminated', expect.any(String)]])
})

it('what is pending is not told where nobody may ask, and taken all the same', async () => {
  const code = `import { pending, raise, wait, withMask } from '${import.meta.resolve('sigshield/signals')}'
    try { pending() } catch ({ code, syscall }) { console.log(code, syscall) }
    const heard = withMask('block', ['SIGHUP'], () => {
      raise('SIGHUP')
      return { wait: wait(['SIGHUP']) }
    })
    console.log((await heard.wait).name)`
  const command = ['rt_sigpending=1', process.execPath, '--input-type=module', '-e', code]
  const { stdout } = await promisify(execFile)(join(programs, 'restricted'), command)
  expect(stdout).toBe('EPERM sigpending\nSIGHUP\n')
})

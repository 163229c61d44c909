/** What becomes of this process's signals in a scope: ignored, or held. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { NodeProgram } from '../support/node-program.js'
import { SIGUSR2 } from '../support/processes.js'
import { runSignals, well } from '../support/signal/signal-program.js'

/** Node itself handles SIGINT and SIGTERM, to put the terminal back: of other signals the default action is the kernel's. */
const names = 'const { disposition, hold, ignore, raise, stateOf } = signals'
const run = (code: string) => runSignals(`${names}\n${code}`)
/** A listener is called in a later turn. `hears` waits for all that was sent before, by the next on the same channel. */
const hearing = `
  const hears = async () => {
    const heard = once(process, 'SIGHUP')
    process.kill(self, 'SIGHUP')
    await heard
  }
`

describe('ignore', () => {
  it('drops the signal, and puts back the default action', async () => {
    expect(
      await run(`
        const ignored = ignore(['SIGUSR2', 40])
        print([disposition('SIGUSR2'), disposition(40)])
        process.kill(self, 'SIGUSR2'); process.kill(self, 40)
        ignored[Symbol.dispose](); ignored[Symbol.dispose]()
        print([disposition('SIGUSR2'), disposition(40)])
        raise('SIGUSR2')`),
    ).toEqual({
      said: [
        ['ignored', 'ignored'],
        ['default', 'default'],
      ],
      code: null,
      signal: 'SIGUSR2',
    })
  })

  it("puts back Node's own handler, by the kernel's account", async () => {
    expect(
      await run(`${hearing}
        process.on('SIGTERM', () => print('heard'))
        const before = stateOf(self).caught
        const ignored = ignore(['SIGTERM'])
        print(stateOf(self).caught.includes('SIGTERM'))
        process.kill(self, 'SIGTERM')
        await hears()
        ignored[Symbol.dispose]()
        print(JSON.stringify(stateOf(self).caught) === JSON.stringify(before))
        process.kill(self, 'SIGTERM')
        await hears()`),
    ).toEqual(well(false, true, 'heard'))
  })

  it('nests, and is disposed of in any order', async () => {
    for (const order of ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']) {
      const { said } = await run(`
        process.on('SIGTERM', () => {})
        const scopes = { a: ignore(['SIGTERM']), b: ignore(['SIGTERM', 'SIGHUP']), c: ignore(['SIGTERM']) }
        for (const name of '${order}') {
          scopes[name][Symbol.dispose]()
          print(disposition('SIGTERM'))
        }
        print(disposition('SIGHUP'))`)
      expect([order, ...said]).toEqual([order, 'ignored', 'ignored', 'handled', 'default'])
    }
  })

  it('process.on and process.off inside count from the disposal on', async () => {
    expect(
      await run(`${hearing}
        const off = () => {}
        process.on('SIGUSR2', off)
        const ignored = ignore(['SIGTERM', 'SIGUSR2'])
        process.on('SIGTERM', () => print('heard'))
        process.off('SIGUSR2', off)
        print([disposition('SIGTERM'), disposition('SIGUSR2')])
        process.kill(self, 'SIGTERM'); process.kill(self, 'SIGUSR2')
        await hears()
        ignored[Symbol.dispose]()
        print([disposition('SIGTERM'), disposition('SIGUSR2')])
        process.kill(self, 'SIGTERM')
        await hears()`),
    ).toEqual(well(['ignored', 'ignored'], ['handled', 'default'], 'heard'))
  })

  it('is of the whole process, in a worker thread too, and does nothing for child_process', async () => {
    expect(
      await run(`
        const worker = thread("const ignored = signals.ignore(['SIGUSR2']); post('ignores'); parentPort.once('message', () => { ignored[Symbol.dispose](); post('done') })")
        print(await next(worker))
        print(disposition('SIGUSR2'))
        for (const [start, options] of [[spawn], [spawnProtected], [spawnProtected, { ignore: ['SIGUSR2'] }]]) {
          print(await found('ignored', start, options))
        }
        worker.postMessage('end')
        print(await next(worker))
        print(disposition('SIGUSR2'))`),
    ).toEqual(well('ignores', 'ignored', '', '2', String(SIGUSR2), 'done', 'default'))
  })
})

describe('hold', () => {
  it('each signal waits and comes once, in a listener as without it', async () => {
    const code = (scope: string) => `${hearing}
      process.on('SIGTERM', () => print('heard'))
      await ${scope}(['SIGTERM'], async () => {
        for (let i = 0; i < 3; i += 1) { process.kill(self, 'SIGTERM'); await hears() }
        raise('SIGTERM')
        await hears()
        print('inside')
      })
      await hears()`
    expect(await run(code('hold'))).toEqual(well('inside', 'heard'))
    expect((await run(code('((_, fn) => fn())').replace('await ((_', ';await ((_'))).said).toEqual([
      ...Array(4).fill('heard'),
      'inside',
    ])
  })

  it('the default action is done after it', async () => {
    const program = new NodeProgram(`
      import { hold } from 'sigshield/signals'
      await hold(['SIGTERM'], () => new Promise((resolve) => {
        process.once('SIGHUP', () => { console.log('out'); resolve() })
        setInterval(() => {}, 1000)
        console.log('in')
      }))
      console.log('never said')`)
    await program.says('in')
    program.kill('SIGTERM')
    program.kill('SIGHUP')
    expect(await program.end()).toEqual({ rest: ['out'], code: null, signal: 'SIGTERM' })
  })

  it('real-time signals queue, all of them, with their sender', async () => {
    expect(
      await run(`
        await hold([40, 41], async () => {
          for (const signal of [41, 40, 40, 41, 40]) process.kill(self, signal)
          for (let i = 0; i < 6; i += 1) print(signals.waitSync([40, 41], 0)?.name)
          process.kill(self, 40); process.kill(self, 40)
          const first = await signals.wait([40])
          print(first.pid === self)
          print((await signals.wait([40])).name)
        })
        print(disposition(40))`),
    ).toEqual(well(40, 40, 40, 41, 41, null, true, 40, 'default'))
  })

  it('sections nest and overlap: the last to end lets go', async () => {
    expect(
      await run(`${hearing}
        process.on('SIGTERM', () => print('heard'))
        const gates = []
        const section = () => hold(['SIGTERM'], () => new Promise((resolve) => gates.push(resolve)))
        const sections = [section(), section(), section()]
        process.kill(self, 'SIGTERM')
        for (const i of [0, 2, 1]) {
          gates[i]()
          await sections[i]
          await hears()
          print(i)
        }`),
    ).toEqual(well(0, 2, 'heard', 1))
  })

  it('process.on and process.off inside count at its end', async () => {
    expect(
      await run(`${hearing}
        const off = () => {}
        process.on('SIGUSR2', off)
        await hold(['SIGTERM', 'SIGUSR2'], async () => {
          process.on('SIGTERM', () => print('heard'))
          process.off('SIGUSR2', off)
          process.kill(self, 'SIGTERM')
          await hears()
          print('inside')
        })
        await hears()
        print([disposition('SIGTERM'), disposition('SIGUSR2')])`),
    ).toEqual(well('inside', 'heard', ['handled', 'default']))
  })

  it('what was ignored before stays ignored, and what fn throws or returns comes through', async () => {
    expect(
      await run(`
        const ignored = ignore(['SIGUSR2'])
        print(await hold(['SIGUSR2'], () => { process.kill(self, 'SIGUSR2'); return disposition('SIGUSR2') }))
        print(disposition('SIGUSR2'))
        await hold(['SIGUSR2'], () => { throw new Error('mine') }).catch((error) => print(error.message))
        ignored[Symbol.dispose]()
        print(disposition('SIGUSR2'))`),
    ).toEqual(well('handled', 'ignored', 'mine', 'default'))
  })

  it("a worker thread's section holds the process's signals; terminated inside it lets go", async () => {
    expect(
      await run(`${hearing}
        process.on('SIGTERM', () => print('heard'))
        const worker = thread(\`
          import { setFlagsFromString } from 'node:v8'
          import { runInNewContext } from 'node:vm'
          setFlagsFromString('--expose-gc')
          signals.hold(['SIGTERM'], () => new Promise(() => {}))
          // Nobody can end the section any more: it is the collector's, but for what it holds.
          runInNewContext('gc')()
          setInterval(() => post('in'), 1)\`)
        print(await next(worker))
        process.kill(self, 'SIGTERM')
        await hears()
        print('still held')
        await worker.terminate()
        await hears()`),
    ).toEqual(well('in', 'still held', 'heard'))
  })

  it('children started inside are not held, and are joined', async () => {
    expect(
      await run(`
        await hold(['SIGTERM'], async () => {
          for (const start of [spawn, spawnProtected]) {
            const child = start('cat')
            const end = once(child, 'exit')
            print([await found('blocked', start), signals.stateOf(child.pid).caught])
            child.kill('SIGTERM')
            print((await end)[1])
          }
        })`),
    ).toEqual(well(['', []], 'SIGTERM', ['', []], 'SIGTERM'))
  })

  it('is refused where what it has held could not be taken', async () => {
    const code = `import { hold } from '${import.meta.resolve('sigshield/signals')}'
      // Node keeps no process alive for a signal.
      const alive = setInterval(() => {}, 1000)
      process.once('SIGUSR2', (signal) => { console.log(signal); clearInterval(alive) })
      const held = hold(['SIGUSR2'], () => process.kill(process.pid, 'SIGUSR2'))
      await held.then(() => console.log('held'), ({ code, syscall }) => console.log(code, syscall))
      process.kill(process.pid, 'SIGUSR2')`
    const command = ['rt_sigtimedwait=1', process.execPath, '--input-type=module', '-e', code]
    const { stdout } = await promisify(execFile)(join(programs, 'restricted'), command)
    expect(stdout).toBe('EPERM rt_sigtimedwait\nSIGUSR2\n')
  })

  it('a process that exits inside exits by its own code', async () => {
    expect(await run(`await hold(['SIGTERM'], () => { process.kill(self, 'SIGTERM'); process.exit(7) })`)).toEqual({
      said: [],
      code: 7,
      signal: null,
    })
  })
})

/** No signal is lost or doubled while scopes open and close around it all the time. */
import { spawn } from 'node:child_process'
import { spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { limit, times } from '../support/limits.js'
import { NodeProgram } from '../support/node-program.js'
import { closed, ended, line } from '../support/processes.js'

const COUNT = times(500)

/** As fast as another process can send them. It ends, by 1, with the first that finds nobody. */
function flood({ pid }: NodeProgram, signal: string | number, count: number) {
  const script = `for ((i = 0; i < ${count}; i++)); do kill -${signal} ${pid} || exit; done`
  return closed(ended(spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'inherit'] })))
}

/** Each signal is sent when the one before was heard: one that is lost ends the test, one that is doubled is counted. */
const hearing = (block: string) => `
  import { hold, mask } from 'sigshield/signals'
  let heard = 0
  process.on('SIGUSR2', () => { heard += 1; console.log('heard ' + heard) })
  ${block}
  console.log('ready')
  let sections = 0
  const turn = () => new Promise(setImmediate)
  const one = async () => {
    while (heard < ${COUNT}) {
      await hold(['SIGUSR2', 'SIGHUP'], turn)
      sections += 1
      await turn()
    }
  }
  await Promise.all([one(), one(), one()])
  await turn()
  console.log(heard === ${COUNT} && sections > ${COUNT})`

it.each([
  ['on the main thread', ''],
  ["on Node's other threads", `mask('block', ['SIGUSR2'])`],
])(
  'reached %s',
  async (_where, block) => {
    const program = new NodeProgram(hearing(block))
    await program.says('ready')
    for (let i = 1; i <= COUNT; i += 1) {
      program.kill('SIGUSR2')
      await program.says(`heard ${i}`)
    }
    expect(await program.end()).toEqual({ rest: ['true'], code: 0, signal: null })
  },
  limit(60_000),
)

it(
  'real-time signals from another process are all taken, in the order of their sending',
  async () => {
    const program = new NodeProgram(`
    import { hold, wait } from 'sigshield/signals'
    await hold([40], async () => {
      console.log('ready')
      for (let i = 0; i < ${COUNT}; i += 1) await wait([40])
      console.log('all')
    })`)
    await program.says('ready')
    expect(await flood(program, 40, COUNT)).toEqual({ code: 0, signal: null })
    expect(await program.end()).toEqual({ rest: ['all'], code: 0, signal: null })
  },
  limit(60_000),
)

it.each([
  ['on the main thread', ''],
  ["on Node's other threads", 'mask("block", [40])'],
])(
  'real-time signals come in a flood, reached %s, while sections and waits open and close over one that counts them: all are there',
  async (_where, block) => {
    // Each look at what is held moves all of it.
    const count = 2 * COUNT
    const program = new NodeProgram(`
      import { hold, mask, wait, waitSync } from 'sigshield/signals'
      ${block}
      await hold([40], async () => {
        let over = false
        process.once('SIGHUP', () => { over = true })
        const turn = () => new Promise(setImmediate)
        let taken = 0
        const count = (signal) => { if (signal) taken += 1 }
        const sections = async () => { while (!over) await hold([40], turn) }
        const waits = async () => {
          while (!over) {
            const controller = new AbortController()
            setImmediate(() => controller.abort())
            await wait([40], { signal: controller.signal }).then(count, () => {})
          }
        }
        const looks = async () => { while (!over) { count(waitSync([40], 0)); await turn() } }
        console.log('ready')
        await Promise.all([sections(), sections(), waits(), looks()])
        for (let left; (left = waitSync([40], 0)); ) count(left)
        console.log(taken)
      })`)
    await program.says('ready')
    expect(await flood(program, 40, count)).toEqual({ code: 0, signal: null })
    program.kill('SIGHUP')
    expect(await program.end()).toEqual({ rest: [`${count}`], code: 0, signal: null })
  },
  limit(60_000),
)

it.each([
  ['on the main thread', ''],
  ["on Node's other threads", `mask('block', ['SIGUSR2'])`],
])(
  'no signal, reached %s, does what it does without us while it is ignored, again and again, inside a section that holds it',
  async (_where, block) => {
    const program = new NodeProgram(`
      import { hold, ignore, mask } from 'sigshield/signals'
      ${block}
      process.on('SIGHUP', () => { over = true })
      let over = false
      let rounds = 0
      await hold(['SIGUSR2'], async () => {
        console.log('ready')
        while (!over) {
          for (let i = 0; i < 200; i += 1) ignore(['SIGUSR2'])[Symbol.dispose]()
          rounds += 1
          await new Promise(setImmediate)
        }
        // What is held is dropped, so nothing comes afterwards.
        ignore(['SIGUSR2'])[Symbol.dispose]()
      })
      console.log(rounds > 0)`)
    await program.says('ready')
    // It ends a process that does nothing about it.
    expect(await flood(program, 'USR2', times(50_000))).toEqual({ code: 0, signal: null })
    program.kill('SIGHUP')
    expect(await program.end()).toEqual({ rest: ['true'], code: 0, signal: null })
  },
  limit(60_000),
)

it('in a program that is kept from changing its dispositions, what it ignores stays ignored', async () => {
  const code = `
    import { disposition, hold, ignore } from 'sigshield/signals'
    process.once('SIGUSR2', () => { console.log('SIGUSR2'); process.exit() })
    setInterval(() => {}, 1000)
    await hold(['SIGINT', 'SIGUSR2'], () => {
      process.kill(process.pid, 'SIGINT')
      process.kill(process.pid, 'SIGUSR2')
      console.log(disposition('SIGINT') + ' ' + disposition('SIGUSR2'))
    })
    ignore(['SIGINT'])[Symbol.dispose]()
    console.log(disposition('SIGINT'))`
  const argv = ['--input-type=module', '-e', code]
  const child = ended(
    spawnProtected(process.execPath, argv, { ignore: ['SIGINT'], enforce: true, stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const end = closed(child)
  for (const said of ['ignored handled', 'ignored', 'SIGUSR2']) expect(await line(child.stdout)).toBe(said)
  expect(await end).toEqual({ code: 0, signal: null })
})

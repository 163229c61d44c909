// What the seccomp filter behind `enforce` costs a child, from one that does nothing but enter the kernel to a real program.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { spawnProtected } from 'sigshield'
import { compiled } from './peers.mjs'
import { Result } from './result.mjs'

const TURNS = 40
const WORKS = {
  getppid: { name: 'getppid, the least a system call can do', count: 1_000_000 },
  read: { name: 'pread of 4 KB', count: 200_000 },
  file: { name: 'open, fstat, read of 4 KB, close', count: 50_000 },
}
const READ_ALL = `
  const fs = require('node:fs')
  for (const name of fs.readdirSync('/usr/include', { recursive: true })) {
    const file = '/usr/include/' + name
    if (fs.statSync(file).isFile()) fs.readFileSync(file)
  }`
const PROGRAMS = {
  'find /usr/lib -newer /': ['find', '/usr/lib', '-newer', '/'],
  'grep -r sigshield /usr/include': ['grep', '-r', 'sigshield', '/usr/include'],
  'node, reading all of /usr/include': [process.execPath, '-e', READ_ALL],
}

export default async function filterCost(/** @type {import('./clock.mjs').Clock} */ clock) {
  const about = /** @type {const} */ ({ better: 'lower', ours: 'enforced' })
  const calls = new Result({ question: 'What does the filter cost a child in its system calls?', unit: 'ns', ...about })
  const program = new Result({
    question: 'What does the filter cost a program of many system calls?',
    unit: 'ms',
    ...about,
  })
  if (process.platform !== 'linux') {
    calls.absent({ enforced: 'enforce puts no filter before system calls on this platform' })
    return [calls]
  }
  const works = compiled('filter-cost.c')
  for (const turn of clock.turns(TURNS)) {
    for (const enforce of turn % 2 ? [true, false] : [false, true]) {
      const peer = enforce ? 'enforced' : 'not enforced'
      for (const [work, { name, count }] of Object.entries(WORKS)) {
        const child = spawnProtected(works, [work, String(count)], { stdio: ['ignore', 'pipe', 'inherit'], enforce })
        const { stdout } = /** @type {{ stdout: import('node:stream').Readable }} */ (child)
        calls.add({ work: name }, peer, Number(await text(stdout)))
      }
      for (const [name, [file = '', ...args]] of Object.entries(PROGRAMS)) {
        const child = spawnProtected(file, args, { stdio: 'ignore', enforce })
        await once(child, 'close')
        const { userCPUTime, systemCPUTime } = /** @type {import('sigshield').ResourceUsage} */ (child.resourceUsage)
        // The first turn fills the caches.
        if (turn > 0) program.add({ program: name }, peer, (userCPUTime + systemCPUTime) / 1000)
      }
    }
  }
  program.note('CPU time of the program, user and system.')
  return [calls, program]
}

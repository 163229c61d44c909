// What a process under faults.so has, as faults-parent.mjs compares it.
import { readdirSync, readFileSync } from 'node:fs'
import { childrenOf } from '../../process-table.mjs'

/** A child's stack and the guard below it. */
function stacks() {
  const areas = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .map((line) => {
      const [range, mode] = line.split(' ')
      const [start, end] = range.split('-').map((address) => Number.parseInt(address, 16))
      return { size: end - start, mode }
    })
  return areas.filter(({ size, mode }, i) => size === 65536 && mode === '---p' && areas[i + 1].size >= 65536).length
}

export function census() {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    children: childrenOf(process.pid).length,
    threads: readdirSync('/proc/self/task').length,
    stacks: stacks(),
    mask: readFileSync('/proc/self/status', 'utf8').match(/^SigBlk:\s*(.*)$/m)[1],
  }
}

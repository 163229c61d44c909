import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const object = join(import.meta.dirname, '../../../build/Release/obj.target/sigshield/native/platform/linux/child.o')

it('the child half calls nothing outside itself: no libc, no locks, no allocation', () => {
  // A weak symbol may be linked to the copy of another file.
  const undefinedSymbols = execFileSync('sh', ['-c', `nm '${object}' | grep -E ' [UWwVv] ' | sed 's/.* //'`], {
    encoding: 'utf8',
  })
  // The first is a label, not a function; the second is called only where a distribution's compiler guards stacks by default.
  const allowed = ['_GLOBAL_OFFSET_TABLE_', '__stack_chk_fail']
  expect(undefinedSymbols.split('\n').filter((symbol) => symbol && !allowed.includes(symbol))).toEqual([])
})

it('the child half has no thread-local storage', () => {
  const sections = execFileSync('readelf', ['--sections', '--wide', object], { encoding: 'utf8' })
  expect(sections).toContain('.text')
  expect(sections).not.toMatch(/\.t(bss|data)/)
})

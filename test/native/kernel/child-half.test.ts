import { join } from 'node:path'
import { expect, it } from 'vitest'
import { faultsOfChildHalf } from '../../../packaging/gate.mjs'

const objects = join(import.meta.dirname, '../../../build/Release/obj.target/sigshield/native/platform/linux')

it('the child half calls nothing outside itself (no libc, no locks, no allocation), and has no thread-local storage', () => {
  expect(faultsOfChildHalf(join(objects, 'child.o'))).toEqual([])
})

it('another file does (the control)', () => {
  expect(faultsOfChildHalf(join(objects, 'process.o'))).toContain('calls kill')
})

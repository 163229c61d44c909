/** Children whose worker thread was terminated: one thread of the process reaps them all. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const parent = join(import.meta.dirname, '../support/native/forsaken-parent.mjs')

it.each([
  ['of one thread', ['1', '1024']],
  ['of five threads', ['5', '1024']],
  ['of five threads, in a process that may open no more descriptors', ['5', '10']],
])('%s', async (_, args) => {
  const { stdout } = await promisify(execFile)(process.execPath, [parent, ...args])
  expect(JSON.parse(stdout)).toEqual({ more: 1, busy: false, descriptors: 0 })
})

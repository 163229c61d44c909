/** docs/errors.md knows every code that is thrown, and every step that can fail. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../support/examples/pages.js'

const read = (file: string) => readFileSync(join(root, file), 'utf8')
const page = read('docs/errors.md')
const lacking = (names: Iterable<string>) => [...new Set(names)].filter((name) => !page.includes(`\`${name}\``))
const library = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(join('lib', name)))
  .join('')
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name as string)

it('every code of lib/', () => {
  const codes = matches(library, /\b((?:ERR|SIGSHIELD_UNKNOWN)_[A-Z_]+|ABORT_ERR)\b/g)
  expect(codes).toContain('ERR_INVALID_ARG_VALUE')
  expect(lacking(codes)).toEqual([])
})

it('every system error that the declarations of lib/ tell of', () => {
  const declared = matches(library, /`(E[A-Z]{3,})`/g)
  expect(declared).toContain('ESRCH')
  expect(lacking(declared)).toEqual([])
})

it('every step of the native core', () => {
  const steps = matches(read('native/core/failure.cc'), /return "(\w+)";/g)
  expect(steps).toContain('execve')
  expect(lacking(steps)).toEqual([])
})

it('no code that is thrown nowhere', () => {
  // Node's own.
  const told = matches(page, /`(ERR_[A-Z_]+)`/g).filter((code) => code !== 'ERR_ACCESS_DENIED')
  expect(told.filter((code) => !library.includes(code))).toEqual([])
})

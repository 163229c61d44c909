/** What is read in a program's file, on every system alike. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { whyNotPreloaded } from '../../lib/guard/elf.js'
import { isMachO, whyNotInserted } from '../../lib/guard/mach-o.js'
import { isElf } from '../../lib/native/elf.js'
import { programs } from '../support/build-programs.js'
import { elfFile, reader } from '../support/guard/elf.js'
import { slice, universal } from '../support/guard/mach-o.js'
import { temporaryFolder } from '../support/processes.js'

const ALLOWED = ['allow-dyld-environment-variables', 'disable-library-validation']
const RUNTIME = 0x10000

describe('ELF', () => {
  const why = (file: Buffer) => (isElf(file) ? whyNotPreloaded(reader(file), 'x64') : 'no ELF')

  it.each([
    ['a program with a loader', elfFile({}), undefined],
    ['one with another note', elfFile({ note: 'GNU\0' }), undefined],
    ['a static one', elfFile({ loader: false }), /static/],
    ['one of Go', elfFile({ note: 'Go\0\0' }), /Go program/],
    ['one of another machine', elfFile({ machine: 183 }), /another machine/],
    ['one of 32 bits', elfFile({ bits: 1 }), /another machine/],
    ['a script', Buffer.from('#!/bin/sh\n'), /no ELF/],
    ['an empty file', Buffer.alloc(0), /no ELF/],
  ])('%s', (_what, file, expected) => {
    if (expected === undefined) expect(why(file)).toBeUndefined()
    else expect(why(file)).toMatch(expected)
  })

  it('one that is cut off anywhere is refused, or no ELF, and never an exception', () => {
    const file = elfFile({ note: 'Go\0\0' })
    for (let length = 0; length < file.length - 1; length += 1) {
      const cut = file.subarray(0, length)
      // What is cut off in its notes still says that it has a loader.
      if (length < 64 + 2 * 56) expect(why(cut), String(length)).toMatch(/cut off|no ELF/)
      else expect(() => why(cut)).not.toThrow()
    }
  })
})

describe('Mach-O', () => {
  const why = (file: Buffer, path = '/opt/program') =>
    isMachO(file) ? whyNotInserted(reader(file), path) : 'no Mach-O'

  it.each([
    ['a plain program', slice(), undefined],
    ['one for both machines', universal(slice(), slice({ arm64: false })), undefined],
    ['one with the hardened runtime that allows both', slice({ flags: RUNTIME, entitlements: ALLOWED }), undefined],
    ['one with the hardened runtime', slice({ flags: RUNTIME }), /hardened runtime/],
    ['one that allows the variables alone', slice({ flags: RUNTIME, entitlements: ALLOWED.slice(0, 1) }), /own maker/],
    ['one that allows libraries alone', slice({ flags: RUNTIME, entitlements: ALLOWED.slice(1) }), /hardened runtime/],
    ['one with library validation', slice({ flags: 0x2000 }), /own maker/],
    ['one that is signed as restricted', slice({ flags: 0x800, entitlements: ALLOWED }), /signed/],
    ['one of Apple’s own', slice({ platform: 1 }), /signed/],
    ['one with __RESTRICT', slice({ restricted: true }), /__RESTRICT/],
    ['a static one', slice({ loader: false }), /static/],
    ['one of arm64e', slice({ arm64e: true }), /arm64e/],
    ['one with a part of arm64e', universal(slice({ arm64: false }), slice({ arm64e: true })), /arm64e/],
    ['one with a part that refuses', universal(slice(), slice({ arm64: false, flags: RUNTIME })), /hardened/],
    ['one for no machine', universal(), /64-bit/],
    ['an ELF file', elfFile({}), /no Mach-O/],
  ])('%s', (_what, file, expected) => {
    if (expected === undefined) expect(why(file)).toBeUndefined()
    else expect(why(file)).toMatch(expected)
  })

  it.each([
    ['/bin/sh', true],
    ['/usr/bin/env', true],
    ['/System/Library/x', true],
    ['/usr/local/bin/node', false],
    ['/opt/homebrew/bin/node', false],
    ['/binary', false],
  ])('%s is protected by the system: %s', (path, isProtected) => {
    expect(why(slice(), path) !== undefined).toBe(isProtected)
  })

  it('one that is cut off anywhere is refused', () => {
    const file = universal(slice({ flags: RUNTIME, entitlements: ALLOWED }))
    for (let length = 0; length < file.length; length += 1) {
      expect(why(file.subarray(0, length)), String(length)).toMatch(/cut off|no Mach-O/)
    }
  })

  it('numbers that lie are refused', () => {
    for (let at = 8; at < 60; at += 4) {
      const file = slice()
      file.writeUInt32LE(0xffffffff, at)
      expect(() => why(file), String(at)).not.toThrow()
    }
  })
})

describe('the guard itself, of a program that its own starts', () => {
  const says = (content: Buffer | string) => {
    const path = join(temporaryFolder(), 'program')
    writeFileSync(path, content)
    return execFileSync(join(programs, 'arm64e'), [path], { encoding: 'utf8' }).trim()
  }
  const arm64e = () => {
    const path = join(temporaryFolder(), 'arm64e')
    writeFileSync(path, slice({ arm64e: true }))
    return path
  }

  it.each([
    ['arm64e', () => slice({ arm64e: true }), 'arm64e'],
    ['one with a part of it', () => universal(slice({ arm64: false }), slice({ arm64e: true })), 'arm64e'],
    ['a script for one', () => `#! ${arm64e()} -x\n`, 'arm64e'],
    ['arm64', () => slice(), 'none'],
    ['both machines', () => universal(slice(), slice({ arm64: false })), 'none'],
    ['a script for itself', () => '#!/nowhere/at/all\n', 'none'],
    ['an ELF file', () => elfFile({}), 'none'],
    ['an empty file', () => '', 'none'],
    ['one that is cut off', () => universal(slice({ arm64e: true })).subarray(0, 12), 'none'],
    ['one of more parts than it has', () => Buffer.from('cafebabeffffffff00000000', 'hex'), 'none'],
  ])('%s', (_what, content, expected) => {
    expect(says(content())).toBe(expected)
  })
})

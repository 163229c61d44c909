/** What must hold of a file that is made for macOS, or it would not load there, or load what it should not. */
import { CPU, readSlice, slicesOf } from './mach-o.mjs'
import { signatureFault } from './signature.mjs'

const LIBSYSTEM = '/usr/lib/libSystem.B.dylib'
const MINIMUM = '11.0'

/**
 * @typedef {'addon' | 'guard' | 'helper'} Kind
 * @typedef {{ libSystem: Set<string>, ofNode: Set<string> }} Known - Symbols, with their underscore.
 */

/** Which file type each is: an executable, a library, a bundle or library that Node loads. */
const fileTypes = { helper: [2], guard: [6], addon: [6, 8] }

/** What is wrong; empty when nothing is. `machines`: exactly these are in it. */
export function faultsOf(
  /** @type {Buffer} */ file,
  /** @type {Kind} */ kind,
  /** @type {('x64' | 'arm64')[]} */ machines,
  /** @type {Known} */ known,
) {
  try {
    const slices = slicesOf(file).map(readSlice)
    const faults = slices.flatMap((slice) => faultsOfSlice(slice, kind, known))
    const found = slices.map(({ cpu }) => cpu).sort()
    const wanted = machines.map((machine) => CPU[machine]).sort()
    if (String(found) !== String(wanted)) faults.push(`it is not for ${machines.join(' and ')}`)
    return faults
  } catch (error) {
    return [error instanceof RangeError ? 'the file is cut off' : String(Object(error).message)]
  }
}

function faultsOfSlice(
  /** @type {ReturnType<typeof readSlice>} */ slice,
  /** @type {Kind} */ kind,
  /** @type {Known} */ { libSystem, ofNode },
) {
  const faults = []
  const { fileType, libraries, minimumVersion, undefinedSymbols, segments } = slice
  if (!fileTypes[kind].includes(fileType)) faults.push(`its file type is ${fileType}`)
  for (const name of libraries) if (name !== LIBSYSTEM) faults.push(`it loads ${name}`)
  if (minimumVersion !== MINIMUM) faults.push(`it needs macOS ${minimumVersion || 'of no version'}`)
  for (const name of undefinedSymbols) {
    if (!libSystem.has(name) && !(kind === 'addon' && ofNode.has(name))) faults.push(`nobody has ${name}`)
  }
  const sections = segments.flatMap((segment) => segment.sections)
  const interposed = sections.find(({ name }) => name === '__interpose')
  if (kind === 'guard' && !interposed?.size) faults.push('it interposes nothing')
  if (kind !== 'guard' && interposed) faults.push('it interposes')
  if (segments.some(({ name }) => name === '__RESTRICT')) faults.push('it has a __RESTRICT segment')
  const signature = signatureFault(slice)
  if (signature) faults.push(signature)
  return faults
}

/** All symbols of a text-based stub. */
export function symbolsOf(/** @type {string} */ tbd) {
  return new Set([...tbd.matchAll(/[\s'",[]((?:_|dyld_)[\w$.]+)/g)].map((match) => String(match[1])))
}

/** Tables for a terminal, and text that can't play tricks on it. */

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const NARROWLESS = /\p{Mn}|\p{Me}/u

/** Columns that a character takes (wcwidth(3)). */
function columnsOf(character: string): number {
  if (NARROWLESS.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

export function width(text: string): number {
  let columns = 0
  for (const character of text) columns += columnsOf(character)
  return columns
}

/** A process names itself: what would move the cursor, or turn the writing, is shown by its number. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) as number
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** Not wider than that, with a mark where something is missing. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text
  let left = Math.max(columns - 1, 0)
  let kept = ''
  for (const character of text) {
    left -= columnsOf(character)
    if (left < 0) break
    kept += character
  }
  return columns > 0 ? `${kept}…` : ''
}

export interface Column {
  readonly title: string
  readonly alignsRight?: boolean
}

const GAP = '  '
/** With less room than this the last column stands on a line of its own. */
const LEAST = 20
const INDENT = '    '

/** Aligned rows, the titles first. No line is wider than `columns`: the last column, text of any length, is cut to what is left. */
export function table(
  head: readonly Column[],
  rows: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const titles = head.map(({ title }) => title)
  const last = head.length - 1
  const widths = head.map((_, i) => Math.max(...[titles, ...rows].map((row) => width(row[i] as string))))
  const room = columns - widths.slice(0, last).reduce((sum, columnWidth) => sum + columnWidth + GAP.length, 0)
  return [titles, ...rows].map((row) => {
    const aligned = row.slice(0, last).map((text, i) => {
      const fill = ' '.repeat((widths[i] as number) - width(text))
      return head[i]?.alignsRight ? fill + text : text + fill
    })
    const text = row[last] as string
    if (room >= LEAST) return [...aligned, cut(text, room)].join(GAP).trimEnd()
    return `${cut(aligned.join(GAP).trimEnd(), columns)}\n${INDENT}${cut(text, columns - INDENT.length)}`
  })
}

/** Whether colours may be used there (no-color.org). */
export function hasColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
}

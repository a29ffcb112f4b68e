/** What a screen draws on. */
export interface Terminal {
  write(text: string): void
  /** False while what was written before has not left yet: a frame more would only queue. */
  readonly takesFrames: boolean
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H\u001b[2J'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
const CLEAR = '\u001b[H\u001b[2J'

/** A whole terminal, on its alternate screen: what was there before comes back. */
export class Screen {
  #shown: readonly string[] = []
  #isOn = false

  constructor(private readonly terminal: Terminal) {}

  enter(): void {
    this.#isOn = true
    this.#shown = []
    this.terminal.write(ENTER)
  }

  /** Draws what is different from the frame before, in one write. */
  show(lines: readonly string[]): void {
    if (!this.#isOn || !this.terminal.takesFrames) return
    const text = differences(this.#shown, lines)
    this.#shown = lines
    if (text !== '') this.terminal.write(text)
  }

  /** Everything is drawn anew with the next frame: the terminal has another size. */
  clear(): void {
    if (!this.#isOn) return
    this.#shown = []
    this.terminal.write(CLEAR)
  }

  /** May be called twice. */
  leave(): void {
    if (this.#isOn) this.terminal.write(LEAVE)
    this.#isOn = false
  }
}

/** What turns a screen with the first lines into one with the second ones. A row is erased before it is written: erasing after a full one takes its last character. */
export function differences(before: readonly string[], after: readonly string[]): string {
  const count = Math.max(before.length, after.length)
  let text = ''
  for (let row = 0; row < count; row++) {
    const line = after[row] ?? ''
    if (line !== (before[row] ?? '')) text += `\u001b[${row + 1};1H\u001b[K${line}\u001b[0m`
  }
  return text
}

// PostgreSQL's wire protocol, version 3: messages are cut from a stream and made from parts.

/** Cuts whole messages from chunks of bytes: `push(chunk)` returns those that are complete. */
export class Messages {
  #rest = Buffer.alloc(0)
  #started = false

  push(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const whole = []
    for (;;) {
      const head = this.#started ? 1 : 0 // the first message has no type
      if (this.#rest.length < head + 4) return whole
      const size = head + this.#rest.readInt32BE(head)
      if (this.#rest.length < size) return whole
      const message = this.#rest.subarray(0, size)
      this.#rest = this.#rest.subarray(size)
      if (!this.#started && !isEncryptionRequest(message)) {
        this.#started = true
        whole.push({ type: 'startup', message })
      } else if (!this.#started) {
        whole.push({ type: 'encryption', message })
      } else {
        whole.push({ type: String.fromCharCode(message[0]), message })
      }
    }
  }
}

const isEncryptionRequest = (message) => [80877103, 80877104].includes(message.readInt32BE(4))

/** Splits a server's answer into its messages. */
export function* answers(bytes) {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const size = bytes.readInt32BE(at + 1) + 1
    yield { type: String.fromCharCode(bytes[at]), message: bytes.subarray(at, at + size) }
    at += size
  }
}

export const text = (string) => Buffer.from(`${string}\0`)

export const int32 = (number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}

export const make = (type, ...parts) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** Reads a zero-terminated text; returns it and where the next field begins. */
export const readText = (message, from) => {
  const end = message.indexOf(0, from)
  return [message.toString('utf8', from, end), end + 1]
}

/** Gives a prepared statement a name of its own per connection: behind the proxy all share one session. */
export function renamed(type, message, prefix) {
  const own = (name) => text(name && prefix + name)
  if (type === 'P') {
    const [name, next] = readText(message, 5)
    return make('P', own(name), message.subarray(next))
  }
  if (type === 'B') {
    const [portal, next] = readText(message, 5)
    const [name, rest] = readText(message, next)
    return make('B', text(portal), own(name), message.subarray(rest))
  }
  if ((type === 'D' || type === 'C') && message[5] === 'S'.charCodeAt(0)) {
    return make(type, Buffer.from('S'), own(readText(message, 6)[0]))
  }
  return message
}

/** The statement in a Query or Parse message. */
export const statementOf = (type, message) => (type === 'Q' ? readText(message, 5)[0] : readText(message, readText(message, 5)[1])[0])

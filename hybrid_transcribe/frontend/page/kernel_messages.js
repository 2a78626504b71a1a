// Messages of Jupyter's kernels as the protocol v1.kernel.websocket.jupyter.org frames them: the
// number of parts, where each begins and the last ends, and the parts. All numbers are 64 bits.

/**
 * @typedef {object} KernelMessage
 * @property {string} channel
 * @property {string} type
 * @property {any} content
 * @property {DataView[]} buffers
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A random id, also where the page has no secure context. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A message for the kernel's shell.
 * @param {string} session
 * @param {string} type
 * @param {object} content
 * @param {(ArrayBuffer | ArrayBufferView)[]} buffers
 */
export function pack(session, type, content, buffers) {
  const header = {
    msg_id: newId(), msg_type: type, session, username: "", version: "5.3",
    date: new Date().toISOString(),
  };
  const parts = [
    encoder.encode("shell"),
    ...[header, {}, {}, content].map((part) => encoder.encode(JSON.stringify(part))),
    ...buffers.map(bytesOf),
  ];
  const begin = 8 * (parts.length + 2);
  const packed = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, begin));
  const view = new DataView(packed.buffer);
  view.setBigUint64(0, BigInt(parts.length + 1), true);
  let offset = begin;
  parts.forEach((part, index) => {
    view.setBigUint64(8 * (index + 1), BigInt(offset), true);
    packed.set(part, offset);
    offset += part.byteLength;
  });
  view.setBigUint64(8 * (parts.length + 1), BigInt(offset), true);
  return packed;
}

/** @param {ArrayBuffer | ArrayBufferView} buffer */
function bytesOf(buffer) {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * A message of the kernel; content and buffers are read only where they are asked for.
 * @param {ArrayBuffer} data
 * @returns {KernelMessage}
 */
export function unpack(data) {
  const view = new DataView(data);
  const nOffsets = Number(view.getBigUint64(0, true));
  const offset = (/** @type {number} */ index) => Number(view.getBigUint64(8 * (index + 1), true));
  const part = (/** @type {number} */ index) =>
    new DataView(data, offset(index), offset(index + 1) - offset(index));
  const json = (/** @type {number} */ index) => JSON.parse(decoder.decode(part(index)));
  return {
    channel: decoder.decode(part(0)),
    type: json(1).msg_type,
    get content() {
      return json(4);
    },
    get buffers() {
      return Array.from({ length: nOffsets - 6 }, (_, index) => part(index + 5));
    },
  };
}

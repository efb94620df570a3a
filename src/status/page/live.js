const SILENT_AFTER_MS = 40_000;

/** Follows the stream for ever; `told` gets each message, `state` gets `live` or `cut`. */
export function follow({ told, state }) {
  let heard = Date.now();
  const source = new EventSource('/health/stream');
  const hear = () => {
    heard = Date.now();
    state('live');
  };
  source.addEventListener('open', hear);
  source.addEventListener('heartbeat', hear);
  source.addEventListener('message', (message) => {
    hear();
    told(JSON.parse(message.data));
  });
  // The browser comes back by itself, and says where it was; but not after an answer that refuses it.
  source.addEventListener('error', () => {
    state('cut');
    if (source.readyState !== EventSource.CLOSED) return;
    clearInterval(watch);
    setTimeout(() => follow({ told, state }), 5_000);
  });
  const watch = setInterval(() => {
    if (Date.now() - heard > SILENT_AFTER_MS) state('cut');
  }, 5_000);
}

const SILENT_AFTER_MS = 40_000;
const LOOKS_EVERY_MS = 5_000;

/** Follows the stream for ever, behind `since`; `told` gets each message, `state` gets `live` or `cut`. */
export function follow({ told, state }, since = null) {
  let heard = Date.now();
  let known = since;
  const source = new EventSource(known === null ? '/health/stream' : `/health/stream?since=${known}`);
  const hear = () => {
    heard = Date.now();
    state('live');
  };
  source.addEventListener('open', hear);
  source.addEventListener('heartbeat', hear);
  source.addEventListener('message', (message) => {
    hear();
    known = message.lastEventId;
    told(JSON.parse(message.data));
  });
  const again = (afterMs) => {
    clearInterval(watch);
    source.close();
    setTimeout(() => follow({ told, state }, known), afterMs);
  };
  // The browser comes back by itself, and says where it was; but not after an answer that refuses it.
  source.addEventListener('error', () => {
    state('cut');
    if (source.readyState === EventSource.CLOSED) again(LOOKS_EVERY_MS);
  });
  // A network that went away says nothing: the browser would wait on the old connection for ever.
  const watch = setInterval(() => {
    if (Date.now() - heard <= SILENT_AFTER_MS) return;
    state('cut');
    again(0);
  }, LOOKS_EVERY_MS);
}

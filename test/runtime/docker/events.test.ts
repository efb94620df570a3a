import { beforeEach, describe, expect, it } from 'vitest';
import { readEvent, takeIn } from '../../../src/runtime/docker/events.ts';
import { News } from '../../../src/runtime/docker/news.ts';
import type { RuntimeHint } from '../../../src/runtime/runtime.ts';

const prefix = 'io.liminalcommons.mcp-orchestration';
const ours = { [`${prefix}.owner`]: 'default', [`${prefix}.server`]: 'a' };

describe('an event of the engine', () => {
  let news: News;
  beforeEach(() => {
    news = new News();
    news.know(new Map([['c1', 'a']]));
  });

  function take(
    Type: string,
    Action: string,
    ID = 'c1',
    Attributes: Record<string, string> = ours,
  ): RuntimeHint[] {
    const event = readEvent({ Type, Action, Actor: { ID, Attributes }, timeNano: 1_795_000_000_123_456_789 });
    return event === null ? [] : takeIn(event, news, 'default');
  }

  it('about a container of ours is a hint to look at its server', () => {
    expect(take('container', 'die')).toEqual([{ kind: 'look', server: 'a', what: 'die' }]);
    expect(take('container', 'health_status: unhealthy')).toEqual([
      { kind: 'look', server: 'a', what: 'health_status' },
    ]);
    expect(news.touches('c1')).toBe(2);
  });

  it('about one whose label of a server is lost is a hint to look', () => {
    expect(take('container', 'die', 'c1', { [`${prefix}.owner`]: 'default' })).toEqual([
      { kind: 'look', server: null, what: 'die' },
    ]);
  });

  it('that somebody asked it to end is told as a fact', () => {
    const asked = { kind: 'kill_requested', container: 'c1', at: 1_795_000_000_123 };
    expect(take('container', 'kill', 'c1', { ...ours, signal: '15' })).toContainEqual(asked);
    expect(take('container', 'stop')).toContainEqual(asked);
  });

  it('that somebody sent it a signal of another meaning is none', () => {
    expect(take('container', 'kill', 'c1', { ...ours, signal: '1' })).toEqual([
      { kind: 'look', server: 'a', what: 'kill' },
    ]);
  });

  it('of our own stop is no request of a person, until it starts again', () => {
    news.weStop({ id: 'c1', state: 'running' });
    expect(take('container', 'kill', 'c1', { ...ours, signal: '15' })).toHaveLength(1);
    take('container', 'die');
    expect(take('container', 'stop')).toHaveLength(1);
    take('container', 'start');
    expect(take('container', 'kill', 'c1', { ...ours, signal: '9' })).toHaveLength(2);
  });

  it('of our own stop is ours although the start before it is told late', () => {
    news.weStop({ id: 'c1', state: 'running' });
    news.weStop({ id: 'c1', state: 'running' });
    take('container', 'die');
    take('container', 'start');
    expect(take('container', 'kill', 'c1', { ...ours, signal: '15' })).toHaveLength(1);
    take('container', 'die');
    take('container', 'start');
    expect(take('container', 'kill', 'c1', { ...ours, signal: '15' })).toHaveLength(2);
  });

  it('about a network concerns the container that joined or left', () => {
    expect(take('network', 'disconnect', 'net', { container: 'c1' })).toEqual([
      { kind: 'look', server: 'a', what: 'disconnect' },
    ]);
    expect(news.touches('c1')).toBe(1);
    expect(take('network', 'connect', 'net', { container: 'somebody' })).toEqual([]);
    expect(take('network', 'create', 'net', {})).toEqual([]);
  });

  it('about an image makes us ask for images again, and is a hint when one went', () => {
    expect(take('image', 'pull', 'x')).toEqual([]);
    expect(take('image', 'untag', 'x')).toEqual([{ kind: 'look', server: null, what: 'untag' }]);
    expect(news.imageTouches).toBe(2);
  });

  it('about a stranger is a hint when it may free or take a name or a port', () => {
    expect(take('container', 'die', 's', {})).toEqual([{ kind: 'look', server: null, what: 'die' }]);
    expect(take('container', 'kill', 's', {})).toEqual([]);
  });

  it('that nobody can read is passed over', () => {
    expect(readEvent({ Type: 'daemon', Action: 'reload', timeNano: 1 })).toBeNull();
    expect(readEvent({ Type: 'container', timeNano: 1 })).toBeNull();
    expect(readEvent({ Type: 'container', Action: 'die' })).toBeNull();
    expect(readEvent({ Type: 'container', Action: 'die', timeNano: 1 })).toMatchObject({
      container: '',
      attributes: {},
    });
    expect(readEvent({ Type: 'network', Action: 'destroy', timeNano: 1 })).toMatchObject({ container: '' });
  });
});

describe('what the news keep in mind', () => {
  it('has a mark only while nothing can be missed, and another one after each break', () => {
    const news = new News();
    expect(news.mark).toBeNull();
    news.connected();
    const first = news.mark;
    expect(first).not.toBeNull();
    news.disconnected();
    expect(news.mark).toBeNull();
    news.connected();
    expect(news.mark).not.toBe(first);
  });

  it('forgets containers that are gone', () => {
    const news = new News();
    news.touch('c1');
    news.weStop({ id: 'c1', state: 'exited' });
    news.know(new Map([['c2', 'b']]));
    expect(news.touches('c1')).toBe(0);
    expect(news.isStopOurs('c1')).toBe(false);
    expect(news.serverOf('c1')).toBeNull();
    expect(news.serverOf('c2')).toBe('b');
  });
});

/**
 * The Mermaid sequence diagram of what happened, made from events and nothing else.
 *
 * Who sent a command stands in its id (a reaction, or a saga and its step), and what caused it in `causationId`. A
 * reaction is drawn as an arrow from the service whose event it heard to the one that it told; a saga as a participant.
 */
import { writeFile } from 'node:fs/promises';
import type { RecordedEvent } from 'troupe';

/** A part of a run, such as one order, and what it shows. */
export interface DiagramPart {
  readonly title: string;
  /** In order of position. */
  readonly events: readonly RecordedEvent[];
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  /** What was said: the event heard, or nothing for a coordinator's command. */
  readonly heard: string | undefined;
  readonly happened: string;
  times: number;
}

/** Who sent the command of an event: a reaction, a saga, or somebody outside. */
export function senderOf({ commandId }: RecordedEvent): {
  readonly kind: 'reaction' | 'saga' | 'outside';
  name: string;
} {
  const reaction = /^([A-Za-z][\w.-]*)>/.exec(commandId)?.[1];
  if (reaction !== undefined) return { kind: 'reaction', name: reaction };
  const saga = /^([A-Za-z][\w.-]*)\/.*#[^/]*$/.exec(commandId)?.[1];
  return saga === undefined ? { kind: 'outside', name: 'Customer' } : { kind: 'saga', name: saga };
}

export function sequenceDiagram(parts: readonly DiagramPart[]): string {
  const participants = new Set<string>(['Customer']);
  const body: string[] = [];
  for (const { title, events } of parts) {
    const arrows = arrowsOf(events);
    for (const { from, to } of arrows) participants.add(from).add(to);
    body.push('  rect rgb(245, 245, 245)', `  Note right of Customer: ${title}`);
    for (const { from, to, heard, happened, times } of arrows) {
      const many = times > 1 ? ` × ${times}` : '';
      if (heard === undefined) body.push(`  ${nick(from)}->>${nick(to)}: ${happened}${many}`);
      else body.push(`  ${nick(from)}-)${nick(to)}: ${heard}`, `  Note over ${nick(to)}: ${happened}${many}`);
    }
    body.push('  end');
  }
  const names = [...participants].map((name) => `  participant ${nick(name)} as ${name}`);
  return ['sequenceDiagram', ...names, ...body, ''].join('\n');
}

/** Writes the diagram when a file was asked for, and says so. */
export async function writeDiagram(
  file: string | undefined,
  parts: readonly DiagramPart[],
  say: (text: string) => void,
): Promise<void> {
  if (file === undefined) return;
  await writeFile(file, sequenceDiagram(parts));
  say(`The sequence diagram of ${parts.map(({ title }) => title).join(', and of ')} is in ${file}.`);
}

function arrowsOf(events: readonly RecordedEvent[]): Arrow[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const arrows: Arrow[] = [];
  for (const event of events) {
    const sender = senderOf(event);
    const cause = event.causationId === null ? undefined : byId.get(event.causationId);
    const heard = sender.kind === 'reaction' ? (cause?.type ?? sender.name) : undefined;
    const from = sender.kind === 'reaction' ? (cause?.aggregate ?? sender.name) : sender.name;
    const arrow: Arrow = { from, to: event.aggregate, heard, happened: event.type, times: 1 };
    const like = burst(arrows, arrow).find(({ happened }) => happened === arrow.happened);
    if (like === undefined) arrows.push(arrow);
    else like.times += 1;
  }
  return arrows;
}

/** The last arrows that go the same way for the same reason: many lines of an order are one conversation. */
function burst(arrows: readonly Arrow[], { from, to, heard }: Arrow): readonly Arrow[] {
  const before = arrows.findLastIndex((one) => one.from !== from || one.to !== to || one.heard !== heard);
  return arrows.slice(before + 1);
}

/** Mermaid takes no dashes in the names of participants. */
function nick(name: string): string {
  return name.replaceAll(/\W/g, '_');
}

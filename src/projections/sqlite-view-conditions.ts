/** Conditions on rows as SQL: values, lists, null, comparisons; on columns, and on places in json columns. */
import { suggestion } from '../core/did-you-mean.js';
import { showValue } from '../core/show-value.js';
import { type QueryTerms, refusal, type Term } from './sqlite-view-terms.js';

/** Conditions by column; all of them have to hold. */
export type RowConditions = Readonly<Record<string, unknown>>;

const COMPARISONS: Readonly<Record<string, string>> = {
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  eq: 'IS',
  ne: 'IS NOT',
  like: 'LIKE',
};
const OPERATORS = [...Object.keys(COMPARISONS), 'in', 'notIn', 'contains'];

/** All conditions as one, empty when there are none. */
export function whereSql(terms: QueryTerms, conditions: RowConditions | undefined): string {
  if (conditions === undefined) return '';
  if (typeof conditions !== 'object' || conditions === null || Array.isArray(conditions)) {
    throw refusal(`where is ${showValue(conditions)}; give an object, such as { status: 'paid' }`);
  }
  const parts = Object.entries(conditions).map(([name, wanted]) => condition(terms, terms.term(name, 'where'), wanted));
  return parts.join(' AND ');
}

function condition(terms: QueryTerms, term: Term, wanted: unknown): string {
  if (wanted === null) return `${term.sql()} IS NULL`;
  if (Array.isArray(wanted)) return among(terms, term, wanted);
  if (typeof wanted !== 'object') return `${term.sql()} = ${terms.bound(term, wanted, 'where')}`;
  const parts = Object.entries(wanted).map(([operator, value]: [string, unknown]) =>
    comparison(terms, term, operator, value),
  );
  if (parts.length === 0)
    throw refusal(
      `where.${term.name} is an empty object; give a value, an array, null, or { ${OPERATORS.join(', ')} }`,
    );
  return `(${parts.join(' AND ')})`;
}

function comparison(terms: QueryTerms, term: Term, operator: string, value: unknown): string {
  if (operator === 'in' || operator === 'notIn') {
    if (!Array.isArray(value))
      throw refusal(`where.${term.name}.${operator} is ${showValue(value)}; give an array of values`);
    const found = among(terms, term, value);
    // A row without a value is in no list, unless null is.
    return operator === 'in' ? found : `(${found}) IS NOT TRUE`;
  }
  if (operator === 'contains') return contains(terms, term, value);
  const sign = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
  if (sign === undefined) {
    throw refusal(
      `where.${term.name} has the unknown operator "${operator}"${suggestion(operator, OPERATORS)}; known are ${OPERATORS.join(', ')}`,
    );
  }
  if (value === null && (operator === 'eq' || operator === 'ne')) return `${term.sql()} ${sign} NULL`;
  if (operator === 'like' && term.type !== 'text' && term.type !== 'place')
    throw refusal(`where.${term.name}: "like" is for columns of type text`);
  return `${term.sql()} ${sign} ${terms.bound(term, value, 'where')}`;
}

function among(terms: QueryTerms, term: Term, wanted: readonly unknown[]): string {
  const values = wanted.filter((value) => value !== null);
  const found = `${term.sql()} IN ${terms.boundList(term, values, 'where')}`;
  return values.length === wanted.length ? found : `(${found} OR ${term.sql()} IS NULL)`;
}

/** One of the items of an array, or of the values of an object. */
function contains(terms: QueryTerms, term: Term, value: unknown): string {
  if (term.type !== 'json' && term.type !== 'place')
    throw refusal(`where.${term.name}: "contains" is for json columns; for texts use { like: '%…%' }`);
  const item: Term = { ...term, type: 'place' };
  // A place yields a text, which is an array only if it begins like one.
  const from = term.sql();
  const list = term.type === 'json' ? from : `iif(substr(${from}, 1, 1) IN ('[', '{'), ${term.sql()}, NULL)`;
  const sign = value === null ? 'IS NULL' : `= ${terms.bound(item, value, 'where')}`;
  return `EXISTS (SELECT 1 FROM json_each(${list}) AS item WHERE item.value ${sign})`;
}

/** Laws of looking at statements that users write. */
import { expect } from 'chai';
import { firstWord, isOneStatement, renameTable } from '../../src/projections/sqlite-statement.js';

describe('statements of users', () => {
  it('begin with their first word, behind blanks and comments', () => {
    expect(firstWord('  \n select 1')).to.equal('SELECT');
    expect(firstWord('-- delete\n/* drop */ Insert into x values (1)')).to.equal('INSERT');
    expect(firstWord('/* open')).to.equal('');
    expect(firstWord('-- only')).to.equal('');
    expect(firstWord('(select 1)')).to.equal('');
    expect(firstWord('')).to.equal('');
  });

  it('are one, or more: what follows a semicolon would be dropped in silence', () => {
    for (const one of [
      "select ';' as a;",
      'select 1 -- ; drop\n',
      'select 1; -- the end',
      'select ";" from [a;b] ;; /* ; */ ',
    ]) {
      expect(isOneStatement(one), one).to.equal(true);
    }
    for (const several of ['select 1; drop table x', 'select 1;;delete from x', "select ';'; select 2"]) {
      expect(isOneStatement(several), several).to.equal(false);
    }
  });

  it('name their table plainly, in quotes and with a dot, in any case; in texts and comments they do not', () => {
    const renamed = (statement: string) => renameTable(statement, 'sales', 'x');
    expect(renamed('update Sales set n = sales.n + 1')).to.equal('update x set n = x.n + 1');
    expect(renamed('insert into "sales" select * from [SALES], `sales`, main.sales')).to.equal(
      'insert into "x" select * from "x", "x", main.x',
    );
    expect(renamed("update sales set a = 'sales', b = 'it''s sales' -- sales")).to.equal(
      "update x set a = 'sales', b = 'it''s sales' -- sales",
    );
    expect(renamed('/* sales */ update sales_by_day set sales2 = 1, my_sales = 2')).to.equal(
      '/* sales */ update sales_by_day set sales2 = 1, my_sales = 2',
    );
  });
});

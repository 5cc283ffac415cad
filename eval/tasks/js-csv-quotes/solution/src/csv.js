/** Rows of a CSV text (RFC 4180), each a list of fields. Throws SyntaxError when a quote is never closed. */
export function parseCsv(text) {
  const rows = [];
  let row = [];
  let field = "";
  let quoted = false;
  let begun = false;
  const endField = () => {
    row.push(field);
    field = "";
    begun = true;
  };
  const endRow = () => {
    endField();
    rows.push(row);
    row = [];
    begun = false;
  };
  for (let i = 0; i < text.length; i += 1) {
    const sign = text[i];
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (text[i + 1] === '"') {
        field += '"';
        i += 1;
      } else quoted = false;
    } else if (sign === '"') {
      quoted = true;
      begun = true;
    } else if (sign === ",") endField();
    else if (sign === "\n" || (sign === "\r" && text[i + 1] === "\n")) {
      endRow();
      if (sign === "\r") i += 1;
    } else {
      field += sign;
      begun = true;
    }
  }
  if (quoted) throw new SyntaxError("a quote is never closed");
  if (begun) endRow();
  return rows;
}

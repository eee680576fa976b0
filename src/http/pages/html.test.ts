import t from "tap";
import { html } from "./html.ts";

t.test("texts stay texts, HTML stays HTML", async (t) => {
  const hostile = `"><script>alert('1')</script>&amp;`;
  const inner = html`<b>${hostile}</b>`;
  t.equal(inner.text, "<b>&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;</b>");
  t.equal(html`<p title="${hostile}">${inner}</p>`.text.includes("<script>"), false);
  t.equal(html`a${undefined}b${false}c${3}d`.text, "abc3d");
  t.equal(
    html`<ul>${[html`<li>1</li>`, html`<li>${"<"}</li>`]}</ul>`.text,
    "<ul><li>1</li><li>&lt;</li></ul>",
  );
});

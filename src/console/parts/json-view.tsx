/** Data as they are. */
export function JsonView({ label, value }: { readonly label: string; readonly value: unknown }) {
  return (
    <section aria-label={label}>
      <pre className="json" tabIndex={0}>
        {JSON.stringify(value, null, 2)}
      </pre>
    </section>
  );
}

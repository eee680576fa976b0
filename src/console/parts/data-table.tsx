import { Button, Group, Loader, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTexts } from "../texts/texts-context.ts";
import { Problem } from "./problem.tsx";
import type { Pages } from "./use-pages.ts";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
}

export interface DataTableProps<Row> {
  /** What the table lists, for those who hear it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly empty?: string;
}

export function DataTable<Row>({ label, columns, rows, keyOf, empty }: DataTableProps<Row>) {
  const { common } = useTexts();
  if (rows.length === 0) return <Text c="dimmed">{empty ?? common.nothing}</Text>;
  return (
    // It can be scrolled by the keyboard where it is wider than the window.
    <section className="scroll" aria-label={label} tabIndex={0}>
      <Table striped highlightOnHover verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ title, isNumber }) => (
              <Table.Th key={title} scope="col" className={isNumber === true ? "number" : undefined}>
                {title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)}>
              {columns.map(({ title, cell, isNumber }) => (
                <Table.Td key={title} className={isNumber === true ? "number" : undefined}>
                  {cell(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

/** A list with its pages. */
export function PagedTable<Row>({
  pages,
  ...table
}: Omit<DataTableProps<Row>, "rows"> & { readonly pages: Pages<Row> }) {
  const { common } = useTexts();
  const { data, error, isLoading, number, goBack, goNext } = pages;
  if (error !== undefined) return <Problem error={error} retry={pages.reload} />;
  if (!data) return <Loader aria-label={common.loading} />;
  return (
    <>
      <DataTable {...table} rows={data.rows} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {data.total === undefined ? "" : common.total(data.total)} {isLoading && common.loading}
        </Text>
        {(goBack ?? goNext) && (
          <Group>
            <Button variant="default" disabled={!goBack} onClick={() => goBack?.()}>
              {common.previous}
            </Button>
            <Text size="sm">{common.page(number)}</Text>
            <Button variant="default" disabled={!goNext} onClick={() => goNext?.()}>
              {common.next}
            </Button>
          </Group>
        )}
      </Group>
    </>
  );
}

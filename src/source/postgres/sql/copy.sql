-- The rows of one table as text. :rows is a table with its columns, or a query in brackets.
COPY :rows TO STDOUT;

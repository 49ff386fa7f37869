"""Tables that are made of cells of text: TSV, CSV and sheets; not what their columns hold."""

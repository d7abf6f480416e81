"""The Notion service: one data source by notion-client."""

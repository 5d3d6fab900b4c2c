-- :tables is "FOR ALL TABLES", "FOR TABLE …", or nothing; :options is nothing or "WITH (…)".
CREATE PUBLICATION :"publication" :tables :options;

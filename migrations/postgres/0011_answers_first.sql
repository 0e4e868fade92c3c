-- What is sent to somebody who waits for it, a confirmation above all, goes before news.
CREATE INDEX subscription_answer ON subscription (due) WHERE due IS NOT NULL AND state <> 'confirmed';

-- A small database that lrsearch 0.1.0 wrote, as SQLite dumps it. tests/cli/test_version_0_1.py reads it.
--   confirmed: 4 trials, confirmed: 2 finalists and the best constant rate on 2 fresh seeds, with both linked studies.
--   half: 7 of 8 trials taken: 0 diverged, 1 and 2 complete (2 excluded), 3 pruned, 4 failed, 5 was handed back, 6 waits.
--   plain: made by plain Optuna, maximising; 4 trials, the first of them pruned.
-- Names of machine and process are replaced.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'confirmed');
INSERT INTO "studies" VALUES(2,'confirmed/constant');
INSERT INTO "studies" VALUES(3,'confirmed/confirm');
INSERT INTO "studies" VALUES(4,'half');
INSERT INTO "studies" VALUES(5,'plain');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MINIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',2,0);
INSERT INTO "study_directions" VALUES(3,'MINIMIZE',3,0);
INSERT INTO "study_directions" VALUES(4,'MINIMIZE',4,0);
INSERT INTO "study_directions" VALUES(5,'MAXIMIZE',5,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_system_attributes" VALUES(1,1,'study:metric_names','["test mse"]');
INSERT INTO "study_system_attributes" VALUES(2,4,'study:metric_names','["test mse"]');
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'lrsearch:metric','"mse"');
INSERT INTO "study_user_attributes" VALUES(2,1,'lrsearch:generation','64');
INSERT INTO "study_user_attributes" VALUES(3,1,'lrsearch:version','"0.1.0"');
INSERT INTO "study_user_attributes" VALUES(4,1,'lrsearch:provenance','{"versions": {"python": "3.11.7", "torch": "2.13.0+cpu", "optuna": "5.0.0", "numpy": "2.4.6"}}');
INSERT INTO "study_user_attributes" VALUES(5,1,'lrsearch:data','{"train": {"rows": 14, "inputs": {"shape": [5], "type": "float32", "size": 8.26618181, "sums": [-2.29489663, -4.34209998, 5.09824353, -1.73981145, -17.1759072, 0.213944878, 8.09783155, -3.03288326]}, "targets": {"shape": [1], "type": "float32", "size": 33.8029649, "sums": [-8.63991606, 19.4514138, 5.42381752, 13.4862319, 13.9733704, -0.259547591, -17.4241568, 9.38197458]}}, "test": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 4.752155, "sums": [3.71331221, 7.36116493, -5.67177111, -6.38728922, -0.376567843, 4.19942465, -2.38498449, 4.70827788]}, "targets": {"shape": [1], "type": "float32", "size": 27.0677588, "sums": [15.6983206, 10.6159701, 41.4808066, -30.9217019, -8.15317321, 8.15317321, -10.6159701, 23.2292333]}}, "holdout": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 6.277798, "sums": [5.65958916, 0.00218864158, 4.75703944, 0.716205131, -6.86224462, -2.19227002, 4.03755691, 8.8211739]}, "targets": {"shape": [1], "type": "float32", "size": 13.4819084, "sums": [-1.37289083, 3.38145459, 19.4637476, 4.8614558, 16.2749232, -16.2749232, -3.38145459, -14.0904912]}}}');
INSERT INTO "study_user_attributes" VALUES(6,1,'lrsearch:definition','{"study": {"name": "confirmed", "trials": 4}, "task": {"name": "polynomial", "rows": 20, "weights": [2.0, -1.0, 3.0, 1.0, 2.0], "degree": 2, "noise": 0.01, "seed": 420, "test_fraction": 0.3, "holdout_rows": 6, "hidden": [4, 4], "activation": "tanh", "batch_norm": "pre"}, "training": {"epochs": 2, "batch_size": 10, "optimizer": "sgd", "seeds": [24], "momentum": 0.0, "nesterov": false, "weight_decay": 0.0, "accumulate": 1, "precision": "float32", "train_metric_every": 1, "loader_workers": 0}, "search": {"lr": {"low": 0.001, "high": 0.1, "log": true}, "schedulers": ["lambda", "exponential"]}, "sampler": {"name": "random", "seed": 1}, "pruner": {"name": "halving", "audit": 0.0, "rungs": [0.083, 0.25, 0.5], "keep": 0.333}, "confirm": {"top": 2, "seeds": 2}}');
INSERT INTO "study_user_attributes" VALUES(7,1,'lrsearch:stopped','false');
INSERT INTO "study_user_attributes" VALUES(8,2,'lrsearch:origin','{"study": "confirmed", "role": "constant"}');
INSERT INTO "study_user_attributes" VALUES(9,2,'lrsearch:metric','"mse"');
INSERT INTO "study_user_attributes" VALUES(10,2,'lrsearch:version','"0.1.0"');
INSERT INTO "study_user_attributes" VALUES(11,2,'lrsearch:data','{"train": {"rows": 14, "inputs": {"shape": [5], "type": "float32", "size": 8.26618181, "sums": [-2.29489663, -4.34209998, 5.09824353, -1.73981145, -17.1759072, 0.213944878, 8.09783155, -3.03288326]}, "targets": {"shape": [1], "type": "float32", "size": 33.8029649, "sums": [-8.63991606, 19.4514138, 5.42381752, 13.4862319, 13.9733704, -0.259547591, -17.4241568, 9.38197458]}}, "test": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 4.752155, "sums": [3.71331221, 7.36116493, -5.67177111, -6.38728922, -0.376567843, 4.19942465, -2.38498449, 4.70827788]}, "targets": {"shape": [1], "type": "float32", "size": 27.0677588, "sums": [15.6983206, 10.6159701, 41.4808066, -30.9217019, -8.15317321, 8.15317321, -10.6159701, 23.2292333]}}, "holdout": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 6.277798, "sums": [5.65958916, 0.00218864158, 4.75703944, 0.716205131, -6.86224462, -2.19227002, 4.03755691, 8.8211739]}, "targets": {"shape": [1], "type": "float32", "size": 13.4819084, "sums": [-1.37289083, 3.38145459, 19.4637476, 4.8614558, 16.2749232, -16.2749232, -3.38145459, -14.0904912]}}}');
INSERT INTO "study_user_attributes" VALUES(12,2,'lrsearch:definition','{"study": {"name": "confirmed", "trials": 9}, "task": {"name": "polynomial", "rows": 20, "weights": [2.0, -1.0, 3.0, 1.0, 2.0], "degree": 2, "noise": 0.01, "seed": 420, "test_fraction": 0.3, "holdout_rows": 6, "hidden": [4, 4], "activation": "tanh", "batch_norm": "pre"}, "training": {"epochs": 2, "batch_size": 10, "optimizer": "sgd", "seeds": [24], "momentum": 0.0, "nesterov": false, "weight_decay": 0.0, "accumulate": 1, "precision": "float32", "train_metric_every": 1, "loader_workers": 0}, "search": {"lr": {"low": 0.001, "high": 0.1, "log": true, "steps": 9}, "schedulers": ["constant"]}, "sampler": {"name": "grid"}, "pruner": {"name": "none"}}');
INSERT INTO "study_user_attributes" VALUES(13,3,'lrsearch:origin','{"study": "confirmed", "role": "confirm", "rows": "holdout", "row_count": 6}');
INSERT INTO "study_user_attributes" VALUES(14,3,'lrsearch:metric','"mse"');
INSERT INTO "study_user_attributes" VALUES(15,3,'lrsearch:version','"0.1.0"');
INSERT INTO "study_user_attributes" VALUES(16,3,'lrsearch:data','{"train": {"rows": 14, "inputs": {"shape": [5], "type": "float32", "size": 8.26618181, "sums": [-2.29489663, -4.34209998, 5.09824353, -1.73981145, -17.1759072, 0.213944878, 8.09783155, -3.03288326]}, "targets": {"shape": [1], "type": "float32", "size": 33.8029649, "sums": [-8.63991606, 19.4514138, 5.42381752, 13.4862319, 13.9733704, -0.259547591, -17.4241568, 9.38197458]}}, "test": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 4.752155, "sums": [3.71331221, 7.36116493, -5.67177111, -6.38728922, -0.376567843, 4.19942465, -2.38498449, 4.70827788]}, "targets": {"shape": [1], "type": "float32", "size": 27.0677588, "sums": [15.6983206, 10.6159701, 41.4808066, -30.9217019, -8.15317321, 8.15317321, -10.6159701, 23.2292333]}}, "holdout": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 6.277798, "sums": [5.65958916, 0.00218864158, 4.75703944, 0.716205131, -6.86224462, -2.19227002, 4.03755691, 8.8211739]}, "targets": {"shape": [1], "type": "float32", "size": 13.4819084, "sums": [-1.37289083, 3.38145459, 19.4637476, 4.8614558, 16.2749232, -16.2749232, -3.38145459, -14.0904912]}}}');
INSERT INTO "study_user_attributes" VALUES(17,3,'lrsearch:definition','{"study": {"name": "confirmed", "trials": 6}, "task": {"name": "polynomial", "rows": 20, "weights": [2.0, -1.0, 3.0, 1.0, 2.0], "degree": 2, "noise": 0.01, "seed": 420, "test_fraction": 0.3, "holdout_rows": 6, "hidden": [4, 4], "activation": "tanh", "batch_norm": "pre"}, "training": {"epochs": 2, "batch_size": 10, "optimizer": "sgd", "seeds": [1000, 1001], "momentum": 0.0, "nesterov": false, "weight_decay": 0.0, "accumulate": 1, "precision": "float32", "train_metric_every": 1, "loader_workers": 0}, "search": {"lr": {"low": 0.001, "high": 0.1, "log": true}, "schedulers": ["lambda", "exponential", "constant"]}, "sampler": {"name": "random"}, "pruner": {"name": "none"}}');
INSERT INTO "study_user_attributes" VALUES(18,3,'lrsearch:finalists','[{"params": {"lr": 0.007885519075630154, "scheduler": "lambda", "decay": 0.8835798267490462}, "role": "search", "number": 2, "value": 118.07209014892578}, {"params": {"lr": 0.010559497443981639, "scheduler": "exponential", "exponential.decades": 0.6622224896065715}, "role": "search", "number": 0, "value": 118.59564208984375}, {"params": {"lr": 0.1, "scheduler": "constant"}, "role": "constant", "number": 8, "value": 72.93585205078125}]');
INSERT INTO "study_user_attributes" VALUES(19,4,'lrsearch:metric','"mse"');
INSERT INTO "study_user_attributes" VALUES(20,4,'lrsearch:generation','64');
INSERT INTO "study_user_attributes" VALUES(21,4,'lrsearch:version','"0.1.0"');
INSERT INTO "study_user_attributes" VALUES(22,4,'lrsearch:provenance','{"versions": {"python": "3.11.7", "torch": "2.13.0+cpu", "optuna": "5.0.0", "numpy": "2.4.6"}}');
INSERT INTO "study_user_attributes" VALUES(23,4,'lrsearch:data','{"train": {"rows": 14, "inputs": {"shape": [5], "type": "float32", "size": 8.26618181, "sums": [-2.29489663, -4.34209998, 5.09824353, -1.73981145, -17.1759072, 0.213944878, 8.09783155, -3.03288326]}, "targets": {"shape": [1], "type": "float32", "size": 33.8029649, "sums": [-8.63991606, 19.4514138, 5.42381752, 13.4862319, 13.9733704, -0.259547591, -17.4241568, 9.38197458]}}, "test": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 4.752155, "sums": [3.71331221, 7.36116493, -5.67177111, -6.38728922, -0.376567843, 4.19942465, -2.38498449, 4.70827788]}, "targets": {"shape": [1], "type": "float32", "size": 27.0677588, "sums": [15.6983206, 10.6159701, 41.4808066, -30.9217019, -8.15317321, 8.15317321, -10.6159701, 23.2292333]}}, "holdout": {"rows": 6, "inputs": {"shape": [5], "type": "float32", "size": 6.277798, "sums": [5.65958916, 0.00218864158, 4.75703944, 0.716205131, -6.86224462, -2.19227002, 4.03755691, 8.8211739]}, "targets": {"shape": [1], "type": "float32", "size": 13.4819084, "sums": [-1.37289083, 3.38145459, 19.4637476, 4.8614558, 16.2749232, -16.2749232, -3.38145459, -14.0904912]}}}');
INSERT INTO "study_user_attributes" VALUES(24,4,'lrsearch:definition','{"study": {"name": "half", "trials": 8}, "task": {"name": "polynomial", "rows": 20, "weights": [2.0, -1.0, 3.0, 1.0, 2.0], "degree": 2, "noise": 0.01, "seed": 420, "test_fraction": 0.3, "holdout_rows": 6, "hidden": [4, 4], "activation": "tanh", "batch_norm": "pre"}, "training": {"epochs": 4, "batch_size": 10, "optimizer": "sgd", "seeds": [24], "momentum": 0.0, "nesterov": false, "weight_decay": 0.0, "accumulate": 1, "precision": "float32", "train_metric_every": 1, "loader_workers": 0}, "search": {"lr": {"low": 0.001, "high": 1000.0, "log": true}, "schedulers": ["constant"]}, "sampler": {"name": "random", "seed": 1}, "pruner": {"name": "halving", "audit": 0.0, "rungs": [0.25, 0.5], "keep": 0.333}, "try": [{"lr": 1000.0, "scheduler": "constant"}, {"lr": 0.01, "scheduler": "constant"}, {"lr": 0.02, "scheduler": "constant"}, {"lr": 0.005, "scheduler": "constant"}]}');
INSERT INTO "study_user_attributes" VALUES(25,4,'lrsearch:stopped','false');
INSERT INTO "study_user_attributes" VALUES(26,4,'lrsearch:excluded','{"2": "wrong data"}');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_heartbeats" VALUES(1,1,'2026-11-26 07:05:16');
INSERT INTO "trial_heartbeats" VALUES(2,2,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(3,3,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(4,4,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(5,5,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(6,6,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(7,7,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(8,8,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(9,9,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(10,10,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(11,11,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(12,12,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(13,13,'2026-11-26 07:05:17');
INSERT INTO "trial_heartbeats" VALUES(14,14,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(15,15,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(16,16,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(17,17,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(18,18,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(19,19,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(20,20,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(21,21,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(22,22,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(23,23,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(24,24,'2026-11-26 07:05:18');
INSERT INTO "trial_heartbeats" VALUES(25,25,'2026-11-26 07:05:18');
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,1,1.20325050354003906252e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,2,1.18595642089843750005e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,2,1,1.22928436279296875003e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,2,1.22986640930175781247e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,3,1,1.20935997009277343753e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,3,2,1.18072090148925781251e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,4,1,1.2397081756591796875e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,4,2,1.23705802917480468751e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,5,1,1.24001190185546875002e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,5,2,1.23712547302246093753e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(11,6,1,1.23648719787597656245e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(12,6,2,1.2299976348876953125e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(13,7,1,1.23026275634765625e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(14,7,2,1.21748344421386718746e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(15,8,1,1.21931793212890624998e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(16,8,2,1.19581169128417968755e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(17,9,1,1.20007141113281250003e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(18,9,2,1.1595946502685546875e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(19,10,1,1.16479957580566406249e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(20,10,2,1.10058464050292968748e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(21,11,1,1.09988929748535156248e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(22,11,2,99.8812026977539,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(23,12,1,98.1852035522461,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(24,12,2,8.45295104980468750034e+01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(25,13,1,89.6831283569336,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(26,13,2,7.29358520507812500008e+01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(27,14,1,1.20370147705078125001e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(28,14,2,1.14766517639160156246e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(29,15,1,1.19185028076171875001e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(30,15,2,1.16420600891113281251e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(31,16,1,8.7123260498046875e+01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(32,16,2,6.69380416870117187508e+01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(33,17,1,1.16562446594238281253e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(34,17,2,1.13352813720703124997e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(35,18,1,1.16190582275390624994e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(36,18,2,1.14249153137207031254e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(37,19,1,8.78531188964843749982e+01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(38,19,2,7.126911163330078125e+01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(39,20,1,2.41615768943329279998e+16,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(40,21,1,1.20007141113281250003e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(41,21,2,1.1595946502685546875e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(42,21,3,1.12078605651855468751e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(43,21,4,108.279052734375,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(44,22,1,1.1544134521484375e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(45,22,2,1.08418853759765625003e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(46,22,3,100.503662109375,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(47,22,4,9.404094696044921875e+01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(48,23,1,1.22207672119140625004e+02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(49,25,1,2.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(50,27,0,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(51,27,1,1.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(52,27,2,2.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(53,28,0,0.1,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(54,28,1,1.1,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(55,28,2,2.1,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(56,29,0,0.2,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(57,29,1,1.2,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(58,29,2,2.2,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(59,30,0,3.00000000000000044408e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(60,30,1,1.3,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(61,30,2,2.3,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'lr',1.05594974439816389338e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'scheduler',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential"]}}');
INSERT INTO "trial_params" VALUES(3,1,'exponential.decades',6.62222489606571484976e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 4.0, "log": false}}');
INSERT INTO "trial_params" VALUES(4,2,'lr',0.00461046557622895,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(5,2,'scheduler',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential"]}}');
INSERT INTO "trial_params" VALUES(6,2,'exponential.decades',2.07976737358042473857e+00,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 4.0, "log": false}}');
INSERT INTO "trial_params" VALUES(7,3,'lr',7.88551907563015373747e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(8,3,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential"]}}');
INSERT INTO "trial_params" VALUES(9,3,'decay',8.83579826749046226552e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.8, "high": 0.999, "log": false}}');
INSERT INTO "trial_params" VALUES(10,4,'lr',1.06693331835395447022e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(11,4,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential"]}}');
INSERT INTO "trial_params" VALUES(12,4,'decay',8.90734967172567837501e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.8, "high": 0.999, "log": false}}');
INSERT INTO "trial_params" VALUES(13,5,'lr',0.001,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(14,5,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(15,6,'lr',1.77827941003892296863e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(16,6,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(17,7,'lr',3.16227766016837939441e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(18,7,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(19,8,'lr',5.62341325190349183849e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(20,8,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(21,9,'lr',1.00000000000000019428e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(22,9,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(23,10,'lr',1.77827941003892361915e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(24,10,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(25,11,'lr',3.16227766016838052198e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(26,11,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(27,12,'lr',5.62341325190349183849e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(28,12,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(29,13,'lr',0.1,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(30,13,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(31,14,'lr',7.88551907563015373747e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(32,14,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential", "constant"]}}');
INSERT INTO "trial_params" VALUES(33,14,'seed',1000.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 4294967295}}');
INSERT INTO "trial_params" VALUES(34,14,'decay',8.83579826749046226552e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.8, "high": 0.999, "log": false}}');
INSERT INTO "trial_params" VALUES(35,15,'lr',1.05594974439816389338e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(36,15,'scheduler',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential", "constant"]}}');
INSERT INTO "trial_params" VALUES(37,15,'seed',1000.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 4294967295}}');
INSERT INTO "trial_params" VALUES(38,15,'exponential.decades',6.62222489606571484976e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 4.0, "log": false}}');
INSERT INTO "trial_params" VALUES(39,16,'lr',0.1,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(40,16,'scheduler',2.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential", "constant"]}}');
INSERT INTO "trial_params" VALUES(41,16,'seed',1000.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 4294967295}}');
INSERT INTO "trial_params" VALUES(42,17,'lr',7.88551907563015373747e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(43,17,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential", "constant"]}}');
INSERT INTO "trial_params" VALUES(44,17,'seed',1001.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 4294967295}}');
INSERT INTO "trial_params" VALUES(45,17,'decay',8.83579826749046226552e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.8, "high": 0.999, "log": false}}');
INSERT INTO "trial_params" VALUES(46,18,'lr',1.05594974439816389338e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(47,18,'scheduler',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential", "constant"]}}');
INSERT INTO "trial_params" VALUES(48,18,'seed',1001.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 4294967295}}');
INSERT INTO "trial_params" VALUES(49,18,'exponential.decades',6.62222489606571484976e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 4.0, "log": false}}');
INSERT INTO "trial_params" VALUES(50,19,'lr',0.1,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(51,19,'scheduler',2.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["lambda", "exponential", "constant"]}}');
INSERT INTO "trial_params" VALUES(52,19,'seed',1001.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 4294967295}}');
INSERT INTO "trial_params" VALUES(53,20,'lr',1000.0,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1000.0, "log": true}}');
INSERT INTO "trial_params" VALUES(54,20,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(55,21,'lr',0.01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1000.0, "log": true}}');
INSERT INTO "trial_params" VALUES(56,21,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(57,22,'lr',0.02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1000.0, "log": true}}');
INSERT INTO "trial_params" VALUES(58,22,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(59,23,'lr',0.005,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1000.0, "log": true}}');
INSERT INTO "trial_params" VALUES(60,23,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(61,24,'lr',0.03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1000.0, "log": true}}');
INSERT INTO "trial_params" VALUES(62,24,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(63,25,'lr',0.03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1000.0, "log": true}}');
INSERT INTO "trial_params" VALUES(64,25,'scheduler',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["constant"]}}');
INSERT INTO "trial_params" VALUES(65,27,'learning_rate',0.0471718757028005,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(66,28,'learning_rate',7.20950977798344070333e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(67,29,'learning_rate',8.01282584301572620155e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(68,30,'learning_rate',2.00518228331079831697e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,5,'fixed_params','{"lr": 0.001, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(2,6,'fixed_params','{"lr": 0.001778279410038923, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(3,7,'fixed_params','{"lr": 0.0031622776601683794, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(4,8,'fixed_params','{"lr": 0.005623413251903492, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(5,9,'fixed_params','{"lr": 0.010000000000000002, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(6,10,'fixed_params','{"lr": 0.017782794100389236, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(7,11,'fixed_params','{"lr": 0.031622776601683805, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(8,12,'fixed_params','{"lr": 0.05623413251903492, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(9,13,'fixed_params','{"lr": 0.1, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(10,14,'fixed_params','{"lr": 0.007885519075630154, "scheduler": "lambda", "decay": 0.8835798267490462, "seed": 1000}');
INSERT INTO "trial_system_attributes" VALUES(11,15,'fixed_params','{"lr": 0.010559497443981639, "scheduler": "exponential", "exponential.decades": 0.6622224896065715, "seed": 1000}');
INSERT INTO "trial_system_attributes" VALUES(12,16,'fixed_params','{"lr": 0.1, "scheduler": "constant", "seed": 1000}');
INSERT INTO "trial_system_attributes" VALUES(13,17,'fixed_params','{"lr": 0.007885519075630154, "scheduler": "lambda", "decay": 0.8835798267490462, "seed": 1001}');
INSERT INTO "trial_system_attributes" VALUES(14,18,'fixed_params','{"lr": 0.010559497443981639, "scheduler": "exponential", "exponential.decades": 0.6622224896065715, "seed": 1001}');
INSERT INTO "trial_system_attributes" VALUES(15,19,'fixed_params','{"lr": 0.1, "scheduler": "constant", "seed": 1001}');
INSERT INTO "trial_system_attributes" VALUES(16,20,'fixed_params','{"lr": 1000.0, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(17,21,'fixed_params','{"lr": 0.01, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(18,22,'fixed_params','{"lr": 0.02, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(19,23,'fixed_params','{"lr": 0.005, "scheduler": "constant"}');
INSERT INTO "trial_system_attributes" VALUES(20,20,'constraints:diverged','1.0');
INSERT INTO "trial_system_attributes" VALUES(21,26,'fixed_params','{"lr": 0.03, "scheduler": "constant"}');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "0fed4c06e8004e968892dc2c372818e3"}');
INSERT INTO "trial_user_attributes" VALUES(2,1,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(3,1,'train_curve','[77.83119201660156, 75.85187530517578]');
INSERT INTO "trial_user_attributes" VALUES(4,1,'lr_curve','[0.010559497443981639, 0.004926426464784312]');
INSERT INTO "trial_user_attributes" VALUES(5,1,'seed_values','[118.59564208984375]');
INSERT INTO "trial_user_attributes" VALUES(6,1,'train_seconds','0.007794');
INSERT INTO "trial_user_attributes" VALUES(7,1,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(8,1,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(9,1,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(10,1,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(11,1,'place','0');
INSERT INTO "trial_user_attributes" VALUES(12,2,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "0dbbe08ab5664de2a379ffb996d25aca"}');
INSERT INTO "trial_user_attributes" VALUES(13,2,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(14,2,'train_curve','[80.67279815673828, 80.49351501464844]');
INSERT INTO "trial_user_attributes" VALUES(15,2,'lr_curve','[0.00461046557622895, 0.0004205920863366573]');
INSERT INTO "trial_user_attributes" VALUES(16,2,'seed_values','[122.98664093017578]');
INSERT INTO "trial_user_attributes" VALUES(17,2,'train_seconds','0.004638');
INSERT INTO "trial_user_attributes" VALUES(18,2,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(19,2,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(20,2,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(21,2,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(22,2,'place','0');
INSERT INTO "trial_user_attributes" VALUES(23,3,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "f5f7492ef1e7418982cda10ddb4d708d"}');
INSERT INTO "trial_user_attributes" VALUES(24,3,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(25,3,'train_curve','[78.37442779541016, 75.36128234863281]');
INSERT INTO "trial_user_attributes" VALUES(26,3,'lr_curve','[0.007885519075630154, 0.0069674855786715905]');
INSERT INTO "trial_user_attributes" VALUES(27,3,'seed_values','[118.07209014892578]');
INSERT INTO "trial_user_attributes" VALUES(28,3,'train_seconds','0.004449');
INSERT INTO "trial_user_attributes" VALUES(29,3,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(30,3,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(31,3,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(32,3,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(33,3,'place','0');
INSERT INTO "trial_user_attributes" VALUES(34,4,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "d7115cf2597846fd9b228ea7161cdab0"}');
INSERT INTO "trial_user_attributes" VALUES(35,4,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(36,4,'train_curve','[81.64327239990234, 81.15038299560547]');
INSERT INTO "trial_user_attributes" VALUES(37,4,'lr_curve','[0.0010669333183539545, 0.0009503548142993285]');
INSERT INTO "trial_user_attributes" VALUES(38,4,'seed_values','[123.70580291748047]');
INSERT INTO "trial_user_attributes" VALUES(39,4,'train_seconds','0.004228');
INSERT INTO "trial_user_attributes" VALUES(40,4,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(41,4,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(42,4,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(43,4,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(44,4,'place','0');
INSERT INTO "trial_user_attributes" VALUES(45,5,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "906b5bd166e54a06a6abaf19a9b93904"}');
INSERT INTO "trial_user_attributes" VALUES(46,5,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(47,5,'train_curve','[81.6750259399414, 81.159912109375]');
INSERT INTO "trial_user_attributes" VALUES(48,5,'lr_curve','[0.001, 0.001]');
INSERT INTO "trial_user_attributes" VALUES(49,5,'seed_values','[123.7125473022461]');
INSERT INTO "trial_user_attributes" VALUES(50,5,'train_seconds','0.003118');
INSERT INTO "trial_user_attributes" VALUES(51,5,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(52,5,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(53,5,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(54,5,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(55,5,'place','0');
INSERT INTO "trial_user_attributes" VALUES(56,6,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "1512a06355084471921b854744e20c17"}');
INSERT INTO "trial_user_attributes" VALUES(57,6,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(58,6,'train_curve','[81.30546569824219, 80.43970489501953]');
INSERT INTO "trial_user_attributes" VALUES(59,6,'lr_curve','[0.001778279410038923, 0.001778279410038923]');
INSERT INTO "trial_user_attributes" VALUES(60,6,'seed_values','[122.99976348876953]');
INSERT INTO "trial_user_attributes" VALUES(61,6,'train_seconds','0.003018');
INSERT INTO "trial_user_attributes" VALUES(62,6,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(63,6,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(64,6,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(65,6,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(66,6,'place','0');
INSERT INTO "trial_user_attributes" VALUES(67,7,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "a920d76ecf20493abaaf3042baa834c2"}');
INSERT INTO "trial_user_attributes" VALUES(68,7,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(69,7,'train_curve','[80.64598083496094, 79.16996765136719]');
INSERT INTO "trial_user_attributes" VALUES(70,7,'lr_curve','[0.0031622776601683794, 0.0031622776601683794]');
INSERT INTO "trial_user_attributes" VALUES(71,7,'seed_values','[121.74834442138672]');
INSERT INTO "trial_user_attributes" VALUES(72,7,'train_seconds','0.002865');
INSERT INTO "trial_user_attributes" VALUES(73,7,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(74,7,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(75,7,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(76,7,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(77,7,'place','0');
INSERT INTO "trial_user_attributes" VALUES(78,8,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "d8750938cbd842f8beed906beedfd24e"}');
INSERT INTO "trial_user_attributes" VALUES(79,8,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(80,8,'train_curve','[79.46573638916016, 76.95545959472656]');
INSERT INTO "trial_user_attributes" VALUES(81,8,'lr_curve','[0.005623413251903492, 0.005623413251903492]');
INSERT INTO "trial_user_attributes" VALUES(82,8,'seed_values','[119.58116912841797]');
INSERT INTO "trial_user_attributes" VALUES(83,8,'train_seconds','0.002994');
INSERT INTO "trial_user_attributes" VALUES(84,8,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(85,8,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(86,8,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(87,8,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(88,8,'place','0');
INSERT INTO "trial_user_attributes" VALUES(89,9,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "34be730f30ae4131a2d33f5c93ac17c1"}');
INSERT INTO "trial_user_attributes" VALUES(90,9,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(91,9,'train_curve','[77.35484313964844, 73.20903015136719]');
INSERT INTO "trial_user_attributes" VALUES(92,9,'lr_curve','[0.010000000000000002, 0.010000000000000002]');
INSERT INTO "trial_user_attributes" VALUES(93,9,'seed_values','[115.95946502685547]');
INSERT INTO "trial_user_attributes" VALUES(94,9,'train_seconds','0.003384');
INSERT INTO "trial_user_attributes" VALUES(95,9,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(96,9,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(97,9,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(98,9,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(99,9,'place','0');
INSERT INTO "trial_user_attributes" VALUES(100,10,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "9033d176005d4d658142175d2ec4bddd"}');
INSERT INTO "trial_user_attributes" VALUES(101,10,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(102,10,'train_curve','[73.8167953491211, 67.13426208496094]');
INSERT INTO "trial_user_attributes" VALUES(103,10,'lr_curve','[0.017782794100389236, 0.017782794100389236]');
INSERT INTO "trial_user_attributes" VALUES(104,10,'seed_values','[110.05846405029297]');
INSERT INTO "trial_user_attributes" VALUES(105,10,'train_seconds','0.003229');
INSERT INTO "trial_user_attributes" VALUES(106,10,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(107,10,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(108,10,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(109,10,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(110,10,'place','0');
INSERT INTO "trial_user_attributes" VALUES(111,11,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "a507378daa1545c184704aef484759ff"}');
INSERT INTO "trial_user_attributes" VALUES(112,11,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(113,11,'train_curve','[68.50709533691406, 58.398895263671875]');
INSERT INTO "trial_user_attributes" VALUES(114,11,'lr_curve','[0.031622776601683805, 0.031622776601683805]');
INSERT INTO "trial_user_attributes" VALUES(115,11,'seed_values','[99.8812026977539]');
INSERT INTO "trial_user_attributes" VALUES(116,11,'train_seconds','0.003217');
INSERT INTO "trial_user_attributes" VALUES(117,11,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(118,11,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(119,11,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(120,11,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(121,11,'place','0');
INSERT INTO "trial_user_attributes" VALUES(122,12,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "0111d82183f3451da77783141ef5df73"}');
INSERT INTO "trial_user_attributes" VALUES(123,12,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(124,12,'train_curve','[60.75, 49.93733596801758]');
INSERT INTO "trial_user_attributes" VALUES(125,12,'lr_curve','[0.05623413251903492, 0.05623413251903492]');
INSERT INTO "trial_user_attributes" VALUES(126,12,'seed_values','[84.52951049804688]');
INSERT INTO "trial_user_attributes" VALUES(127,12,'train_seconds','0.003073');
INSERT INTO "trial_user_attributes" VALUES(128,12,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(129,12,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(130,12,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(131,12,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(132,12,'place','0');
INSERT INTO "trial_user_attributes" VALUES(133,13,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "8e279389af4a493c8bf2ef24da069c77"}');
INSERT INTO "trial_user_attributes" VALUES(134,13,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(135,13,'train_curve','[50.57648849487305, 39.468055725097656]');
INSERT INTO "trial_user_attributes" VALUES(136,13,'lr_curve','[0.1, 0.1]');
INSERT INTO "trial_user_attributes" VALUES(137,13,'seed_values','[72.93585205078125]');
INSERT INTO "trial_user_attributes" VALUES(138,13,'train_seconds','0.003401');
INSERT INTO "trial_user_attributes" VALUES(139,13,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(140,13,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(141,13,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(142,13,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(143,13,'place','0');
INSERT INTO "trial_user_attributes" VALUES(144,14,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "6e7b82787ecc4263a48282e2c85f7316"}');
INSERT INTO "trial_user_attributes" VALUES(145,14,'before_training','34.46597671508789');
INSERT INTO "trial_user_attributes" VALUES(146,14,'train_curve','[79.0166244506836, 73.09783172607422]');
INSERT INTO "trial_user_attributes" VALUES(147,14,'lr_curve','[0.007885519075630154, 0.0069674855786715905]');
INSERT INTO "trial_user_attributes" VALUES(148,14,'seed_values','[25.574201583862305]');
INSERT INTO "trial_user_attributes" VALUES(149,14,'train_seconds','0.003114');
INSERT INTO "trial_user_attributes" VALUES(150,14,'extra_curves','{"holdout value": [29.8767147064209, 25.574201583862305]}');
INSERT INTO "trial_user_attributes" VALUES(151,14,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(152,14,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(153,14,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(154,14,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(155,14,'place','0');
INSERT INTO "trial_user_attributes" VALUES(156,15,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "87e4b00d295f4bb882fa26c20108bfa6"}');
INSERT INTO "trial_user_attributes" VALUES(157,15,'before_training','34.46597671508789');
INSERT INTO "trial_user_attributes" VALUES(158,15,'train_curve','[77.83715057373047, 75.86536407470703]');
INSERT INTO "trial_user_attributes" VALUES(159,15,'lr_curve','[0.010559497443981639, 0.004926426464784312]');
INSERT INTO "trial_user_attributes" VALUES(160,15,'seed_values','[27.524742126464844]');
INSERT INTO "trial_user_attributes" VALUES(161,15,'train_seconds','0.003164');
INSERT INTO "trial_user_attributes" VALUES(162,15,'extra_curves','{"holdout value": [29.168319702148438, 27.524742126464844]}');
INSERT INTO "trial_user_attributes" VALUES(163,15,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(164,15,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(165,15,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(166,15,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(167,15,'place','0');
INSERT INTO "trial_user_attributes" VALUES(168,16,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "622e8e6719d548abb140e5425192a0b9"}');
INSERT INTO "trial_user_attributes" VALUES(169,16,'before_training','34.46597671508789');
INSERT INTO "trial_user_attributes" VALUES(170,16,'train_curve','[54.02484130859375, 44.77333068847656]');
INSERT INTO "trial_user_attributes" VALUES(171,16,'lr_curve','[0.1, 0.1]');
INSERT INTO "trial_user_attributes" VALUES(172,16,'seed_values','[9.7479248046875]');
INSERT INTO "trial_user_attributes" VALUES(173,16,'train_seconds','0.003183');
INSERT INTO "trial_user_attributes" VALUES(174,16,'extra_curves','{"holdout value": [10.957745552062988, 9.7479248046875]}');
INSERT INTO "trial_user_attributes" VALUES(175,16,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(176,16,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(177,16,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(178,16,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(179,16,'place','0');
INSERT INTO "trial_user_attributes" VALUES(180,17,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "7a9c864183fe49ee9581c82c16a2504f"}');
INSERT INTO "trial_user_attributes" VALUES(181,17,'before_training','26.816030502319336');
INSERT INTO "trial_user_attributes" VALUES(182,17,'train_curve','[71.32447052001953, 67.937744140625]');
INSERT INTO "trial_user_attributes" VALUES(183,17,'lr_curve','[0.007885519075630154, 0.0069674855786715905]');
INSERT INTO "trial_user_attributes" VALUES(184,17,'seed_values','[21.597341537475586]');
INSERT INTO "trial_user_attributes" VALUES(185,17,'train_seconds','0.002814');
INSERT INTO "trial_user_attributes" VALUES(186,17,'extra_curves','{"holdout value": [23.82029914855957, 21.597341537475586]}');
INSERT INTO "trial_user_attributes" VALUES(187,17,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(188,17,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(189,17,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(190,17,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(191,17,'place','0');
INSERT INTO "trial_user_attributes" VALUES(192,18,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "41b6c17aa467439089b2e9d1db3a7fa4"}');
INSERT INTO "trial_user_attributes" VALUES(193,18,'before_training','26.816030502319336');
INSERT INTO "trial_user_attributes" VALUES(194,18,'train_curve','[70.89122772216797, 68.9107437133789]');
INSERT INTO "trial_user_attributes" VALUES(195,18,'lr_curve','[0.010559497443981639, 0.004926426464784312]');
INSERT INTO "trial_user_attributes" VALUES(196,18,'seed_values','[22.3798828125]');
INSERT INTO "trial_user_attributes" VALUES(197,18,'train_seconds','0.002894');
INSERT INTO "trial_user_attributes" VALUES(198,18,'extra_curves','{"holdout value": [23.758623123168945, 22.3798828125]}');
INSERT INTO "trial_user_attributes" VALUES(199,18,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(200,18,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(201,18,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(202,18,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(203,18,'place','0');
INSERT INTO "trial_user_attributes" VALUES(204,19,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "a507494aa0d847b586f39f59bfeb0364"}');
INSERT INTO "trial_user_attributes" VALUES(205,19,'before_training','26.816030502319336');
INSERT INTO "trial_user_attributes" VALUES(206,19,'train_curve','[51.21971130371094, 39.4149169921875]');
INSERT INTO "trial_user_attributes" VALUES(207,19,'lr_curve','[0.1, 0.1]');
INSERT INTO "trial_user_attributes" VALUES(208,19,'seed_values','[15.681609153747559]');
INSERT INTO "trial_user_attributes" VALUES(209,19,'train_seconds','0.003101');
INSERT INTO "trial_user_attributes" VALUES(210,19,'extra_curves','{"holdout value": [10.046829223632812, 15.681609153747559]}');
INSERT INTO "trial_user_attributes" VALUES(211,19,'horizon','2');
INSERT INTO "trial_user_attributes" VALUES(212,19,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(213,19,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(214,19,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(215,19,'place','0');
INSERT INTO "trial_user_attributes" VALUES(216,20,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "89083941134341d4bc71461e206478ff"}');
INSERT INTO "trial_user_attributes" VALUES(217,20,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(218,20,'train_curve','[2.3574091940233216e+16]');
INSERT INTO "trial_user_attributes" VALUES(219,20,'lr_curve','[1000.0]');
INSERT INTO "trial_user_attributes" VALUES(220,20,'seed_values','[2.416157689433293e+16]');
INSERT INTO "trial_user_attributes" VALUES(221,20,'train_seconds','0.001583');
INSERT INTO "trial_user_attributes" VALUES(222,20,'diverged_at','1');
INSERT INTO "trial_user_attributes" VALUES(223,20,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(224,20,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(225,20,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(226,20,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(227,20,'place','0');
INSERT INTO "trial_user_attributes" VALUES(228,21,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "dd31b588dbaa46ea8b9dbf71285c3cc1"}');
INSERT INTO "trial_user_attributes" VALUES(229,21,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(230,21,'train_curve','[77.35484313964844, 73.20903015136719, 69.35372161865234, 65.74886322021484]');
INSERT INTO "trial_user_attributes" VALUES(231,21,'lr_curve','[0.01, 0.01, 0.01, 0.01]');
INSERT INTO "trial_user_attributes" VALUES(232,21,'seed_values','[108.279052734375]');
INSERT INTO "trial_user_attributes" VALUES(233,21,'train_seconds','0.007231');
INSERT INTO "trial_user_attributes" VALUES(234,21,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(235,21,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(236,21,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(237,21,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(238,21,'place','0');
INSERT INTO "trial_user_attributes" VALUES(239,22,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "cc58a2a32c844b6096ced37fe6e31d8f"}');
INSERT INTO "trial_user_attributes" VALUES(240,22,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(241,22,'train_curve','[72.9104232788086, 65.57884979248047, 58.48488998413086, 53.151145935058594]');
INSERT INTO "trial_user_attributes" VALUES(242,22,'lr_curve','[0.02, 0.02, 0.02, 0.02]');
INSERT INTO "trial_user_attributes" VALUES(243,22,'seed_values','[94.04094696044922]');
INSERT INTO "trial_user_attributes" VALUES(244,22,'train_seconds','0.007643');
INSERT INTO "trial_user_attributes" VALUES(245,22,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(246,22,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(247,22,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(248,22,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(249,22,'place','0');
INSERT INTO "trial_user_attributes" VALUES(250,23,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "5cd73e03ed55437a85d13c29896cf722"}');
INSERT INTO "trial_user_attributes" VALUES(251,23,'before_training','124.05594635009766');
INSERT INTO "trial_user_attributes" VALUES(252,23,'train_curve','[79.76555633544922]');
INSERT INTO "trial_user_attributes" VALUES(253,23,'lr_curve','[0.005]');
INSERT INTO "trial_user_attributes" VALUES(254,23,'seed_values','[122.20767211914062]');
INSERT INTO "trial_user_attributes" VALUES(255,23,'train_seconds','0.001585');
INSERT INTO "trial_user_attributes" VALUES(256,23,'horizon','4');
INSERT INTO "trial_user_attributes" VALUES(257,23,'engine','"sequential"');
INSERT INTO "trial_user_attributes" VALUES(258,23,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(259,23,'threads','1');
INSERT INTO "trial_user_attributes" VALUES(260,23,'place','0');
INSERT INTO "trial_user_attributes" VALUES(261,24,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "7a07b46d682f4239b7723966a6200423"}');
INSERT INTO "trial_user_attributes" VALUES(262,24,'error','"RuntimeError: the data could not be read"');
INSERT INTO "trial_user_attributes" VALUES(263,25,'worker','{"host": "host", "boot": "boot", "pid": 1, "started": 1.0, "claim": "67d26f34c69c494284d49a5371fa92ff"}');
INSERT INTO "trial_user_attributes" VALUES(264,25,'retried','"interrupted"');
INSERT INTO "trial_user_attributes" VALUES(265,26,'retry_of','5');
INSERT INTO "trial_user_attributes" VALUES(266,26,'retries','0');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.18595642089843750005e+02,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,1.22986640930175781247e+02,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,1.18072090148925781251e+02,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,1.23705802917480468751e+02,'FINITE');
INSERT INTO "trial_values" VALUES(5,5,0,1.23712547302246093753e+02,'FINITE');
INSERT INTO "trial_values" VALUES(6,6,0,1.2299976348876953125e+02,'FINITE');
INSERT INTO "trial_values" VALUES(7,7,0,1.21748344421386718746e+02,'FINITE');
INSERT INTO "trial_values" VALUES(8,8,0,1.19581169128417968755e+02,'FINITE');
INSERT INTO "trial_values" VALUES(9,9,0,1.1595946502685546875e+02,'FINITE');
INSERT INTO "trial_values" VALUES(10,10,0,1.10058464050292968748e+02,'FINITE');
INSERT INTO "trial_values" VALUES(11,11,0,99.8812026977539,'FINITE');
INSERT INTO "trial_values" VALUES(12,12,0,8.45295104980468750034e+01,'FINITE');
INSERT INTO "trial_values" VALUES(13,13,0,7.29358520507812500008e+01,'FINITE');
INSERT INTO "trial_values" VALUES(14,14,0,2.55742015838623046883e+01,'FINITE');
INSERT INTO "trial_values" VALUES(15,15,0,2.75247421264648437508e+01,'FINITE');
INSERT INTO "trial_values" VALUES(16,16,0,9.7479248046875,'FINITE');
INSERT INTO "trial_values" VALUES(17,17,0,2.15973415374755859383e+01,'FINITE');
INSERT INTO "trial_values" VALUES(18,18,0,22.3798828125,'FINITE');
INSERT INTO "trial_values" VALUES(19,19,0,1.56816091537475585937e+01,'FINITE');
INSERT INTO "trial_values" VALUES(20,20,0,1.24055946350097656249e+02,'FINITE');
INSERT INTO "trial_values" VALUES(21,21,0,108.279052734375,'FINITE');
INSERT INTO "trial_values" VALUES(22,22,0,9.404094696044921875e+01,'FINITE');
INSERT INTO "trial_values" VALUES(23,23,0,1.22207672119140625004e+02,'FINITE');
INSERT INTO "trial_values" VALUES(24,27,0,2.0,'FINITE');
INSERT INTO "trial_values" VALUES(25,28,0,2.1,'FINITE');
INSERT INTO "trial_values" VALUES(26,29,0,2.2,'FINITE');
INSERT INTO "trial_values" VALUES(27,30,0,2.3,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-26 07:05:16.648647','2026-11-26 07:05:17.791123');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-26 07:05:17.794391','2026-11-26 07:05:17.812600');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-26 07:05:17.814982','2026-11-26 07:05:17.830239');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-26 07:05:17.832516','2026-11-26 07:05:17.847482');
INSERT INTO "trials" VALUES(5,0,2,'COMPLETE','2026-11-26 07:05:17.907761','2026-11-26 07:05:17.918487');
INSERT INTO "trials" VALUES(6,1,2,'COMPLETE','2026-11-26 07:05:17.920614','2026-11-26 07:05:17.929712');
INSERT INTO "trials" VALUES(7,2,2,'COMPLETE','2026-11-26 07:05:17.931937','2026-11-26 07:05:17.940347');
INSERT INTO "trials" VALUES(8,3,2,'COMPLETE','2026-11-26 07:05:17.942512','2026-11-26 07:05:17.951111');
INSERT INTO "trials" VALUES(9,4,2,'COMPLETE','2026-11-26 07:05:17.953122','2026-11-26 07:05:17.962480');
INSERT INTO "trials" VALUES(10,5,2,'COMPLETE','2026-11-26 07:05:17.964716','2026-11-26 07:05:17.973957');
INSERT INTO "trials" VALUES(11,6,2,'COMPLETE','2026-11-26 07:05:17.976122','2026-11-26 07:05:17.985328');
INSERT INTO "trials" VALUES(12,7,2,'COMPLETE','2026-11-26 07:05:17.987688','2026-11-26 07:05:17.996627');
INSERT INTO "trials" VALUES(13,8,2,'COMPLETE','2026-11-26 07:05:17.999122','2026-11-26 07:05:18.009400');
INSERT INTO "trials" VALUES(14,0,3,'COMPLETE','2026-11-26 07:05:18.063766','2026-11-26 07:05:18.073500');
INSERT INTO "trials" VALUES(15,1,3,'COMPLETE','2026-11-26 07:05:18.075682','2026-11-26 07:05:18.085016');
INSERT INTO "trials" VALUES(16,2,3,'COMPLETE','2026-11-26 07:05:18.087069','2026-11-26 07:05:18.096188');
INSERT INTO "trials" VALUES(17,3,3,'COMPLETE','2026-11-26 07:05:18.098312','2026-11-26 07:05:18.107201');
INSERT INTO "trials" VALUES(18,4,3,'COMPLETE','2026-11-26 07:05:18.109254','2026-11-26 07:05:18.118285');
INSERT INTO "trials" VALUES(19,5,3,'COMPLETE','2026-11-26 07:05:18.120303','2026-11-26 07:05:18.129451');
INSERT INTO "trials" VALUES(20,0,4,'COMPLETE','2026-11-26 07:05:18.508073','2026-11-26 07:05:18.520332');
INSERT INTO "trials" VALUES(21,1,4,'COMPLETE','2026-11-26 07:05:18.522876','2026-11-26 07:05:18.544468');
INSERT INTO "trials" VALUES(22,2,4,'COMPLETE','2026-11-26 07:05:18.546608','2026-11-26 07:05:18.566324');
INSERT INTO "trials" VALUES(23,3,4,'PRUNED','2026-11-26 07:05:18.568388','2026-11-26 07:05:18.577947');
INSERT INTO "trials" VALUES(24,4,4,'FAIL','2026-11-26 07:05:18.589217','2026-11-26 07:05:18.592758');
INSERT INTO "trials" VALUES(25,5,4,'FAIL','2026-11-26 07:05:18.593692','2026-11-26 07:05:18.596489');
INSERT INTO "trials" VALUES(26,6,4,'WAITING',NULL,NULL);
INSERT INTO "trials" VALUES(27,0,5,'PRUNED','2026-11-26 07:05:18.638417','2026-11-26 07:05:18.669655');
INSERT INTO "trials" VALUES(28,1,5,'COMPLETE','2026-11-26 07:05:18.681240','2026-11-26 07:05:18.699572');
INSERT INTO "trials" VALUES(29,2,5,'COMPLETE','2026-11-26 07:05:18.706776','2026-11-26 07:05:18.725228');
INSERT INTO "trials" VALUES(30,3,5,'COMPLETE','2026-11-26 07:05:18.733889','2026-11-26 07:05:18.754921');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;

tests![];

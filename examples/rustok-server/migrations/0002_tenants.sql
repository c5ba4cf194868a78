INSERT INTO tenants (id, name, plan) VALUES
    ('acme',     'Acme Corporation', 'enterprise'),
    ('globex',   'Globex',           'enterprise'),
    ('hooli',    'Hooli',            'team'),
    ('initech',  'Initech',          'team'),
    ('umbrella', 'Umbrella',         'free');
